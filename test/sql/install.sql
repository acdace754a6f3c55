-- CREATE EXTENSION does not go into a schema where somebody else could put
-- functions beside ours (CVE-2022-2625 is of this kind).
CREATE DATABASE regress_vmnet_install;
\set database :DBNAME
\connect regress_vmnet_install
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE ROLE regress_vmnet_stranger;
CREATE SCHEMA vmnet AUTHORIZATION regress_vmnet_stranger;
CREATE EXTENSION vmnet_ext;
DROP SCHEMA vmnet;
CREATE SCHEMA vmnet;
GRANT CREATE ON SCHEMA vmnet TO PUBLIC;
CREATE EXTENSION vmnet_ext;

-- a schema that is ours alone, as a restore makes it, is taken
REVOKE CREATE ON SCHEMA vmnet FROM PUBLIC;
CREATE EXTENSION vmnet_ext;

-- an ordinary role cannot install it
DROP EXTENSION vmnet_ext;
SET ROLE regress_vmnet_stranger;
CREATE EXTENSION vmnet_ext;
RESET ROLE;

-- and after a drop it comes back in the same session
CREATE EXTENSION vmnet_ext;
SELECT vmnet.nic_next_state('Reserved', 'ReleaseRequested');
SELECT vmnet.create_inventory('cloud');
SELECT name, kind, mode FROM vmnet.inventories;

\connect :database
DROP DATABASE regress_vmnet_install;
DROP ROLE regress_vmnet_stranger;
