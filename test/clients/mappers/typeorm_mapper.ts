// The piece of work of 072_mappers.pl in TypeORM, with the entities that
// typeorm-model-generator has written to ./generated/typeorm: it knows tables only.
import 'reflect-metadata';
import { DataSource, In, IsNull, LessThan, MoreThanOrEqual, Not } from 'typeorm';
import { AllNics } from './generated/typeorm/AllNics';
import { AllNetworks } from './generated/typeorm/AllNetworks';
import { AllInstances } from './generated/typeorm/AllInstances';
import { AllNicSecondaryIps } from './generated/typeorm/AllNicSecondaryIps';
import { say, refusal } from './common.js';

const source = new DataSource({ type: 'postgres', host: process.env.PGHOST, port: Number(process.env.PGPORT), username: process.env.PGUSER,
  database: process.env.PGDATABASE, entities: [AllNics, AllNetworks, AllInstances, AllNicSecondaryIps] });

async function main() {
  await source.initialize();
  const nics = source.getRepository(AllNics), networks = source.getRepository(AllNetworks), instances = source.getRepository(AllInstances);
  say('relations', ...['instance_', 'network_'].map((name) => {
    const relation = nics.metadata.findRelationWithPropertyPath(name)!;
    return name.replace('_', '') + ' ' + relation.relationType.replace(/-/g, ' ');
  }));

  const network = await networks.save(networks.create({ name: 'made', cidr: '10.9.0.0/24' }));
  const instance = await instances.save(instances.create({ name: 'maker' }));
  const made = await nics.save([
    nics.create({ instance_: instance, network_: network, ip4_address: '10.9.0.9', mac_address: '02:00:00:00:09:09' }),
    nics.create({ instance_: instance, network_id: '2' })]);
  const nic = await nics.findOneByOrFail({ id: made[0].id });
  say('created', network.state, network.traffic_type, instance.state, instance.type, nic.state, nic.default_nic, nic.uuid !== null && nic.created <= new Date());

  const on = { network_id: network.id, active: true };
  say('address', ...(await nics.findBy({ ip4_address: '10.9.0.9', active: true })).map((n) => n.mac_address));
  say('time', await nics.countBy({ ...on, created: MoreThanOrEqual(new Date('2020-01-01')) }), await nics.countBy({ ...on, created: LessThan(new Date('2020-01-01')) }));
  say('state', await nics.countBy({ ...on, state: 'Allocated' }));
  const read = await nics.find({ where: { instance_id: instance.id }, relations: { network_: true }, order: { network_id: 'ASC' } });
  say('read', ...read.map((n) => n.network_.name));
  const listed = await instances.find({ where: { all_nics: on } });
  say('listed', ...listed.map((i) => i.name));

  for (const state of ['Reserving', 'Reserved']) {
    nic.state = state;
    await nics.save(nic);
  }
  // read again: it does not know that active and ended are generated
  const again = await networks.findOneByOrFail({ id: network.id });
  again.name = 'renamed';
  await networks.save(again);
  say('updated', (await nics.findOneByOrFail(on)).state, (await networks.findOneByOrFail({ id: network.id })).name);

  const removed = new Date();
  for (const work of [
    () => nics.update({ id: nic.id }, { state: 'Allocated' }),
    () => nics.save(nics.create({ instance_: instance, network_: network })),
    () => networks.update({ id: network.id }, { removed }),
    () => instances.update({ id: instance.id }, { removed })] as (() => Promise<unknown>)[]) {
    await work().then(() => say('accepted'), (e: any) => say('refused', ...refusal(e)));
  }

  await nics.update({ id: nic.id }, { state: 'Deallocating', removed });
  say('removed', await nics.countBy(on), await nics.countBy({ network_id: network.id, removed: Not(IsNull()) }));
  await networks.update({ id: network.id }, { removed });
  say('removed', await networks.countBy({ name: 'renamed', active: true }));
  const page = await instances.find({ where: { all_nics: { network_id: '3', active: true } }, order: { id: 'ASC' }, skip: 20, take: 5 });
  say('page', ...page.map((i) => i.id));
}
main().finally(() => source.destroy());
