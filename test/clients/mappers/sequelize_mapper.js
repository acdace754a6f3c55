// The piece of work of 072_mappers.pl in Sequelize, with the models that
// sequelize-auto has written to ./generated/sequelize: all_* for what there is, and
// the live views.
'use strict';
const { say, refusal } = require('./common.js');
const { Sequelize, DataTypes, Op } = require('sequelize');
const sequelize = new Sequelize({ dialect: 'postgres', host: process.env.PGHOST, port: process.env.PGPORT,
  username: process.env.PGUSER, database: process.env.PGDATABASE, logging: false });
const m = require('./generated/sequelize/init-models.js')(sequelize, DataTypes);

async function main() {
  say('relations', ...['instance', 'network'].map((name) =>
    name + ({ BelongsTo: ' many to one', HasOne: ' one to one' }[m.all_nics.associations[name].associationType]) +
    (Object.values(m['all_' + name + 's'].associations).some((a) => a.associationType === 'HasOne') ? ' and back' : '')));

  const network = await m.networks.create({ name: 'made', cidr: '10.9.0.0/24' });
  const instance = await m.instances.create({ name: 'maker' });
  const nic = await m.nics.create({ instance_id: instance.id, network_id: network.id, ip4_address: '10.9.0.9', mac_address: '02:00:00:00:09:09' });
  await m.all_nics.create({ instance_id: instance.id, network_id: 2 });
  for (const row of [network, instance, nic]) await row.reload();
  say('created', network.state, network.traffic_type, instance.state, instance.type, nic.state, nic.default_nic, nic.uuid !== null && nic.created <= new Date());

  const on = { network_id: network.id };
  say('address', ...(await m.nics.findAll({ where: { ip4_address: '10.9.0.9' } })).map((n) => n.mac_address));
  say('time', await m.nics.count({ where: { ...on, created: { [Op.gte]: new Date('2020-01-01') } } }),
    await m.nics.count({ where: { ...on, created: { [Op.lt]: new Date('2020-01-01') } } }));
  say('state', await m.nics.count({ where: { ...on, state: 'Allocated' } }));
  say('read', ...(await m.all_nics.findAll({ where: { instance_id: instance.id }, include: 'network', order: ['network_id'] })).map((n) => n.network.name));
  say('listed', ...(await m.network_instances.findAll({ where: on, attributes: ['instance_name'] })).map((r) => r.instance_name));

  for (const state of ['Reserving', 'Reserved']) await nic.update({ state });
  await network.update({ name: 'renamed' });
  say('updated', (await m.nics.findOne({ where: on })).state, (await m.networks.findByPk(network.id)).name);

  for (const work of [
    async () => (await m.nics.findByPk(nic.id)).update({ state: 'Allocated' }),
    () => m.nics.create({ instance_id: instance.id, network_id: network.id }),
    async () => (await m.networks.findByPk(network.id)).destroy(),
    async () => (await m.instances.findByPk(instance.id)).destroy()]) {
    await work().then(() => say('accepted'), (e) => say('refused', ...refusal(e)));
  }

  await nic.destroy();
  say('removed', await m.nics.count({ where: on }), await m.all_nics.count({ where: { ...on, removed: { [Op.not]: null } } }));
  await network.destroy();
  say('removed', await m.networks.count({ where: { name: 'renamed' } }));
  const page = await m.all_instances.findAll({ where: { id: { [Op.in]: sequelize.literal('(SELECT instance_id FROM cloud.nics WHERE network_id = 3)') } },
    order: ['id'], offset: 20, limit: 5 });
  say('page', ...page.map((i) => i.id));
}
main().finally(() => sequelize.close());
