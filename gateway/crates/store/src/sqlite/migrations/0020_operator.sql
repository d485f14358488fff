-- Whose a delivery is, so that a list of one tenant's reads an index and neither sorts nor passes over other tenants' rows.
ALTER TABLE delivery ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
UPDATE delivery SET tenant = (SELECT f.tenant FROM flow f WHERE f.id = delivery.flow);
CREATE INDEX delivery_tenant ON delivery (tenant, id);
-- What did not arrive is looked for by its state, and there is little of it.
CREATE INDEX delivery_failed ON delivery (tenant, state, id) WHERE state > 5;
-- Counted by flow and state without a look at the rows; what was looked for by the state alone is found here too.
CREATE INDEX delivery_flow_state ON delivery (flow, state);
DROP INDEX delivery_dead;
-- What is old enough to be deleted.
CREATE INDEX delivery_ended ON delivery (updated_at) WHERE state > 4;
