-- Of a delivery that a person made: who, why, and what they asked for. A key that a person gave makes one delivery.
ALTER TABLE delivery ADD COLUMN by_hand TEXT;
CREATE UNIQUE INDEX delivery_by_hand ON delivery (key) WHERE by_hand IS NOT NULL;
