// The piece of work of 070_clients.pl through node-postgres.  Where to connect
// to is in the environment, as libpq reads it.
'use strict';

const { Client } = require('pg');
const Cursor = require('pg-cursor');

// bigint comes as text, since a number of JavaScript could not hold all of them
const text = (v) => v === null || v === undefined ? '-' : v === true ? 't' : v === false ? 'f' : String(v);
const say = (what, ...values) => console.log(what + ': ' + values.map(text).join(', '));

const client = new Client();
const run = async (sql, ...values) => (await client.query(sql, values)).rowCount;
const rows = async (sql, ...values) => (await client.query({ text: sql, values, rowMode: 'array' })).rows;

async function refused(sql, ...values) {
	await client.query('BEGIN');
	try {
		await run(sql, ...values);
		say('accepted', sql);
	} catch (e) {
		say('refused', e.code, e.constraint, e.schema, e.table);
		for (const line of [e.message, e.detail, e.hint])
			console.log('  ' + text(line));
	}
	await client.query('ROLLBACK');
}

async function asActor(actor) {
	await client.query('BEGIN');
	await rows("SELECT set_config('vmnet.actor', $1, true)", actor);
}

async function fetch(listing) {
	await client.query('BEGIN');
	const cursor = client.query(new Cursor(listing, [3], { rowMode: 'array' }));
	const ids = [];
	let batches = 0, batch;
	while ((batch = await cursor.read(100)).length > 0) {
		if (batches++ === 0)
			later.push(run('DELETE FROM cloud.nics WHERE instance_id = $1', 2000));
		ids.push(...batch.map((row) => Number(row[0])));
	}
	await cursor.close();
	await Promise.all(later);
	say('fetched', batches, ids.length, ids.reduce((a, b) => a + b, 0), ids.every((id, i) => i === 0 || id > ids[i - 1]));
	say('left', (await rows('SELECT count(*) FROM vmnet.network_active_instances($1)', 3))[0]);
	await client.query('ROLLBACK');
}
// node-postgres sends one query at a time: the deletion waits for the cursor
const later = [];

async function main() {
	await client.connect();
	// a string goes without a type, so it is said
	say('bound', ...(await rows('SELECT pg_typeof($1::varchar)::text', 'x'))[0]);
	for (const row of await rows('SELECT instance_id, instance_name, instance_state, nic_id, nic_state, default_nic, mac_address, ip4_address, ip6_address'
		+ ' FROM vmnet.network_active_instances($1)', 1))
		say('listed', ...row);

	await asActor('alice');
	const added = (await rows('SELECT vmnet.nic_add($1, $2, $3::inet)', 3, 1, '10.1.0.30'))[0][0];
	say('added', added);
	const inserted = (await rows('INSERT INTO cloud.nics (instance_id, network_id) VALUES ($1, $2) RETURNING id, state, default_nic', 3, 2))[0];
	say('inserted', ...inserted);
	await client.query('COMMIT');

	await asActor('bob');
	for (const state of ['Reserving', 'Reserved', 'Releasing', 'Reserved', 'Releasing', 'Allocated', 'Reserving'])
		say('moved', state, await run('UPDATE cloud.nics SET state = $1::varchar WHERE id = $2', state, added),
			...(await rows('SELECT count(*) FROM cloud.nics WHERE state = $1::varchar AND network_id <> 3', state))[0]);
	await client.query('COMMIT');

	await asActor('mallory');
	await run('UPDATE cloud.nics SET state = $1 WHERE id = $2', 'Reserved', added);
	await client.query('ROLLBACK');

	await refused('UPDATE cloud.nics SET state = $1 WHERE id = $2', 'Releasing', 1);
	await refused('UPDATE cloud.networks SET removed = now() WHERE id = $1', 1);
	await refused('INSERT INTO cloud.nics (instance_id, network_id) VALUES ($1, $2)', 1, 1);
	await refused('SELECT vmnet.nic_add($1, $2, $3::inet)', 1, 2, '10.2.0.255');
	await refused('SELECT vmnet.nic_remove($1)', added);

	for (const again of [1, 2])
		say('deleted', await run('DELETE FROM cloud.nics WHERE id = $1', inserted[0]));
	for (const again of [1, 2])
		say('removed', ...(await rows('SELECT vmnet.nic_remove($1)', added))[0]);

	await fetch('SELECT instance_id, instance_name FROM vmnet.network_active_instances($1)');
	await fetch('SELECT instance_id, instance_name FROM cloud.network_instances WHERE network_id = $1 ORDER BY instance_id');

	for (const row of await rows('SELECT h.nic_id, h.event, h.from_state, h.to_state, h.removed IS NOT NULL, h.session_username, h.actor, h.application_name'
		+ ' FROM cloud.nic_history h ORDER BY h.seq'))
		say('history', ...row);
	await client.end();
}

main().catch((e) => { console.error(e); process.exit(1); });
