// The piece of work of 072_mappers.pl in drizzle, with the schema that drizzle-kit
// pull has written to ./generated/drizzle.  It writes to tables and reads views.
import { drizzle } from 'drizzle-orm/node-postgres';
import { and, asc, eq, gte, inArray, isNotNull, lt, One, Many } from 'drizzle-orm';
import pg from 'pg';
import * as s from './generated/drizzle/schema';
import * as r from './generated/drizzle/relations';
import { say, refusal } from './common.js';

const pool = new pg.Pool();
const db = drizzle(pool, { schema: { ...s, ...r } });
const { allNetworksInCloud: networks, allInstancesInCloud: instances, allNicsInCloud: nics } = s;

async function main() {
  const tables = (db._ as any).schema;
  const kind = (table: string, other: string) => Object.values(tables[table].relations)
    .filter((x: any) => x.referencedTableName === tables[other].dbName || x.referencedTable === (s as any)[other])
    .map((x: any) => x instanceof Many ? 'many' : x instanceof One ? 'one' : '?').join('+');
  say('relations', ...['Instances', 'Networks'].map((n) => n.toLowerCase().replace(/s$/, '') + ' ' +
    kind(`all${n}InCloud`, 'allNicsInCloud') + ' to ' + kind('allNicsInCloud', `all${n}InCloud`)));

  const [network] = await db.insert(networks).values({ name: 'made', cidr: '10.9.0.0/24' }).returning();
  const [instance] = await db.insert(instances).values({ name: 'maker' }).returning();
  const [nic] = await db.insert(nics).values([
    { instanceId: Number(instance.id), networkId: Number(network.id), ip4Address: '10.9.0.9', macAddress: '02:00:00:00:09:09' },
    { instanceId: Number(instance.id), networkId: 2 }]).returning();
  say('created', network.state, network.trafficType, instance.state, instance.type, nic.state, nic.defaultNic,
    nic.uuid !== null && new Date(nic.created) <= new Date());

  const id = Number(network.id);
  const live = s.nicsInCloud;
  say('address', ...(await db.select().from(live).where(eq(live.ip4Address, '10.9.0.9'))).map((n) => n.macAddress));
  const count = async (...conditions: any[]) => (await db.select().from(live).where(and(eq(live.networkId, id), ...conditions))).length;
  say('time', await count(gte(live.created, '2020-01-01')), await count(lt(live.created, '2020-01-01')));
  say('state', await count(eq(live.state, 'Allocated')));
  const read = await db.query.allNicsInCloud.findMany({ where: eq(nics.instanceId, Number(instance.id)), with: { allNetworksInCloud: true }, orderBy: asc(nics.networkId) });
  say('read', ...read.map((n) => n.allNetworksInCloud.name));
  const listed = await db.select().from(s.networkInstancesInCloud).where(eq(s.networkInstancesInCloud.networkId, id));
  say('listed', ...listed.map((x) => x.instanceName));

  for (const state of ['Reserving', 'Reserved']) await db.update(nics).set({ state }).where(eq(nics.id, nic.id));
  await db.update(networks).set({ name: 'renamed' }).where(eq(networks.id, network.id));
  say('updated', (await db.select().from(live).where(eq(live.networkId, id)))[0].state, (await db.select().from(networks).where(eq(networks.id, network.id)))[0].name);

  const removed = new Date().toISOString();
  for (const work of [
    () => db.update(nics).set({ state: 'Allocated' }).where(eq(nics.id, nic.id)),
    () => db.insert(nics).values({ instanceId: Number(instance.id), networkId: id }),
    () => db.update(networks).set({ removed }).where(eq(networks.id, network.id)),
    () => db.update(instances).set({ removed }).where(eq(instances.id, instance.id))] as (() => Promise<unknown>)[]) {
    await work().then(() => say('accepted'), (e: any) => say('refused', ...refusal(e)));
  }

  await db.update(nics).set({ state: 'Deallocating', removed }).where(eq(nics.id, nic.id));
  say('removed', await count(), (await db.select().from(nics).where(and(eq(nics.networkId, id), isNotNull(nics.removed)))).length);
  await db.update(networks).set({ removed }).where(eq(networks.id, network.id));
  say('removed', (await db.select().from(s.networksInCloud).where(eq(s.networksInCloud.name, 'renamed'))).length);
  const page = await db.select({ id: s.instancesInCloud.id }).from(s.instancesInCloud)
    .where(inArray(s.instancesInCloud.id, db.select({ id: live.instanceId }).from(live).where(eq(live.networkId, 3))))
    .orderBy(asc(s.instancesInCloud.id)).offset(20).limit(5);
  say('page', ...page.map((x) => x.id));
}
main().finally(() => pool.end());
