/* vmnet_ext install script; joined by make from sql/parts/ */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION vmnet_ext" to load this file. \quit

GRANT USAGE ON SCHEMA vmnet TO PUBLIC;
COMMENT ON SCHEMA vmnet IS
'Functions of vmnet_ext: inventories of virtual machines, networks and NICs that cannot show a removed NIC as live';

