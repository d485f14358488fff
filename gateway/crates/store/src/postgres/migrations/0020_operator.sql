-- Whose a delivery is, so that a list of one tenant's reads an index and neither sorts nor passes over other tenants' rows.
ALTER TABLE delivery ADD COLUMN tenant TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE delivery SET tenant = (SELECT f.tenant FROM flow f WHERE f.id = delivery.flow);
CREATE INDEX delivery_tenant ON delivery (tenant, id);
-- What did not arrive is looked for by its state, and there is little of it.
CREATE INDEX delivery_failed ON delivery (tenant, state, id) WHERE state > 5;
-- Counted by flow and state without a look at the rows; what was looked for by the state alone is found here too.
CREATE INDEX delivery_flow_state ON delivery (flow, state);
DROP INDEX delivery_dead;
-- What is old enough to be deleted.
CREATE INDEX delivery_ended ON delivery (updated_at) WHERE state > 4;

-- Tables that change all the time are cleaned after 1 % of their rows, not 20 %: an index over waiting rows stays short.
ALTER TABLE delivery SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE refresh SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE timer SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE run SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE record SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE exchange SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
