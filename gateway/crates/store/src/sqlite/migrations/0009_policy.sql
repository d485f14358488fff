-- By which rule of what is withheld the deliveries to a destination were made: when it changes, what was not sent is made again.
ALTER TABLE destination ADD COLUMN policy BLOB;
