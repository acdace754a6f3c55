// The piece of work of 072_mappers.pl in knex, on the live views.
'use strict';
const { say, relations, refusal } = require('./common.js');
const knex = require('knex')({ client: 'pg', searchPath: ['cloud'], connection: {}, useNullAsDefault: true });

async function main() {
  const told = await knex('nics').columnInfo();
  if (!told.state.defaultValue || told.default_nic.defaultValue) throw new Error('the view does not tell its defaults');
  say('relations', ...await relations(async (sql) => (await knex.raw(sql)).rows));

  const [network] = await knex('networks').insert({ name: 'made', cidr: '10.9.0.0/24', uuid: null, state: null, created: null }).returning('*');
  const [instance] = await knex('instances').insert({ name: 'maker' }).returning('*');
  // a batch has the columns of all its rows; knex sends DEFAULT for the others
  const [nic] = await knex('nics').insert([
    { instance_id: instance.id, network_id: network.id, ip4_address: '10.9.0.9', mac_address: '02:00:00:00:09:09', default_nic: null },
    { instance_id: instance.id, network_id: 2 }]).returning('*');
  say('created', network.state, network.traffic_type, instance.state, instance.type, nic.state, nic.default_nic, nic.uuid !== null && nic.created <= new Date());

  const count = async (q) => (await q.count('* as n'))[0].n;
  const on = () => knex('nics').where({ network_id: network.id });
  say('address', ...await knex('nics').where({ ip4_address: '10.9.0.9' }).pluck('mac_address'));
  say('time', await count(on().where('created', '>=', new Date('2020-01-01'))), await count(on().where('created', '<', new Date('2020-01-01'))));
  say('state', await count(on().where({ state: 'Allocated' })));
  say('read', ...await knex('nics').join('networks', 'networks.id', 'nics.network_id').where({ instance_id: instance.id }).orderBy('network_id').pluck('networks.name'));
  say('listed', ...await knex('network_instances').where({ network_id: network.id }).pluck('instance_name'));

  for (const state of ['Reserving', 'Reserved']) await knex('nics').where({ id: nic.id }).update({ state });
  await knex('networks').where({ id: network.id }).update({ name: 'renamed' });
  say('updated', ...await on().pluck('state'), ...await knex('networks').where({ id: network.id }).pluck('name'));

  for (const work of [
    () => knex('nics').where({ id: nic.id }).update({ state: 'Allocated' }),
    () => knex('nics').insert({ instance_id: instance.id, network_id: network.id }),
    () => knex('networks').where({ id: network.id }).del(),
    () => knex('instances').where({ id: instance.id }).del()]) {
    await work().then(() => say('accepted'), (e) => say('refused', ...refusal(e)));
  }

  await knex('nics').where({ id: nic.id }).del();
  say('removed', await count(on()), await count(knex('all_nics').where({ network_id: network.id }).whereNotNull('removed')));
  await knex('networks').where({ id: network.id }).del();
  say('removed', await count(knex('networks').where({ name: 'renamed' })));
  say('page', ...await knex('instances').whereIn('id', knex('nics').where({ network_id: 3 }).select('instance_id')).orderBy('id').offset(20).limit(5).pluck('id'));
}
main().finally(() => knex.destroy());
