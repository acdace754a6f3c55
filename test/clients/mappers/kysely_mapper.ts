// The piece of work of 072_mappers.pl in kysely, on the live views, with the types
// that kysely-codegen has written to ./kysely.d.ts.
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { DB } from './generated/kysely';
import { say, relations, refusal } from './common.js';

const everything = new Kysely<DB>({ dialect: new PostgresDialect({ pool: new pg.Pool() }) });
const db = everything.withSchema('cloud');

async function main() {
  say('relations', ...await relations(async (text: string) => (await sql.raw<any>(text).execute(everything)).rows));

  const network = await db.insertInto('networks').values({ name: 'made', cidr: '10.9.0.0/24', uuid: null, state: null, created: null })
    .returningAll().executeTakeFirstOrThrow();
  const instance = await db.insertInto('instances').values({ name: 'maker' }).returningAll().executeTakeFirstOrThrow();
  const [nic] = await db.insertInto('nics').values([
    { instance_id: instance.id, network_id: network.id, ip4_address: '10.9.0.9', mac_address: '02:00:00:00:09:09', default_nic: null },
    { instance_id: instance.id, network_id: 2 }]).returningAll().execute();
  say('created', network.state, network.traffic_type, instance.state, instance.type, nic.state, nic.default_nic,
    nic.uuid !== null && nic.created! <= new Date());

  const on = db.selectFrom('nics').where('network_id', '=', network.id!);
  const count = async (q: any) => Number((await q.select(sql<string>`count(*)`.as('n')).executeTakeFirstOrThrow()).n);
  const column = async (q: any) => (await q.execute()).map((r: any) => Object.values(r)[0]);
  say('address', ...await column(db.selectFrom('nics').select('mac_address').where('ip4_address', '=', '10.9.0.9')));
  say('time', await count(on.where('created', '>=', new Date('2020-01-01'))), await count(on.where('created', '<', new Date('2020-01-01'))));
  say('state', await count(on.where('state', '=', 'Allocated')));
  say('read', ...await column(db.selectFrom('nics').innerJoin('networks', 'networks.id', 'nics.network_id')
    .where('instance_id', '=', instance.id!).orderBy('network_id').select('networks.name')));
  say('listed', ...await column(db.selectFrom('network_instances').where('network_id', '=', network.id!).select('instance_name')));

  for (const state of ['Reserving', 'Reserved']) await db.updateTable('nics').set({ state }).where('id', '=', nic.id!).execute();
  await db.updateTable('networks').set({ name: 'renamed' }).where('id', '=', network.id!).execute();
  say('updated', ...await column(on.select('state')), ...await column(db.selectFrom('networks').select('name').where('id', '=', network.id!)));

  for (const work of [
    () => db.updateTable('nics').set({ state: 'Allocated' }).where('id', '=', nic.id!).execute(),
    () => db.insertInto('nics').values({ instance_id: instance.id, network_id: network.id }).execute(),
    () => db.deleteFrom('networks').where('id', '=', network.id!).execute(),
    () => db.deleteFrom('instances').where('id', '=', instance.id!).execute()]) {
    await work().then(() => say('accepted'), (e: any) => say('refused', ...refusal(e)));
  }

  await db.deleteFrom('nics').where('id', '=', nic.id!).execute();
  say('removed', await count(on), await count(db.selectFrom('all_nics').where('network_id', '=', network.id!).where('removed', 'is not', null)));
  await db.deleteFrom('networks').where('id', '=', network.id!).execute();
  say('removed', await count(db.selectFrom('networks').where('name', '=', 'renamed')));
  say('page', ...await column(db.selectFrom('instances').select('id')
    .where('id', 'in', db.selectFrom('nics').where('network_id', '=', '3').select('instance_id')).orderBy('id').offset(20).limit(5)));
}
main().finally(() => everything.destroy());
