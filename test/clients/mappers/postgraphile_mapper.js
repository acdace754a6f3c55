// The piece of work of 072_mappers.pl in PostGraphile, with the smart tags of
// contrib/mappers: what a GraphQL client sees of the live views.
'use strict';
const { say } = require('./common.js');
const { createPostGraphileSchema, withPostGraphileContext, makePluginHook } = require('postgraphile');
const { makePgSmartTagsFromFilePlugin } = require('postgraphile/plugins');
const { graphql } = require('graphql');
const pg = require('pg');
const pool = new pg.Pool();

async function main() {
  const schema = await createPostGraphileSchema(pool, ['cloud', 'vmnet'], {
    appendPlugins: [makePgSmartTagsFromFilePlugin(process.argv[2])], includeExtensionResources: true,
  });
  const ask = async (source, variableValues = {}) => {
    const result = await withPostGraphileContext({ pgPool: pool }, (contextValue) => graphql({ schema, source, contextValue, variableValues }));
    if (result.errors) throw result.errors[0].originalError || result.errors[0];
    return result.data;
  };
  const nic = schema.getType('Nic').getFields();
  say('relations', ...['instance', 'network'].map((n) => `${n} ` + (`${nic[n + 'By' + n[0].toUpperCase() + n.slice(1) + 'Id'].type}` === n[0].toUpperCase() + n.slice(1) &&
    `${schema.getType(n[0].toUpperCase() + n.slice(1)).getFields()['nicsBy' + n[0].toUpperCase() + n.slice(1) + 'Id'].type}` === 'NicsConnection!' ? 'many to one' : '?')));

  const { createNetwork: { network } } = await ask('mutation { createNetwork(input: {network: {name: "made", cidr: "10.9.0.0/24"}}) { network { id state trafficType } } }');
  const { createInstance: { instance } } = await ask('mutation { createInstance(input: {instance: {name: "maker"}}) { instance { id state type } } }');
  const add = 'mutation ($nic: NicInput!) { createNic(input: {nic: $nic}) { nic { id state defaultNic uuid created } } }';
  const made = (await ask(add, { nic: { instanceId: instance.id, networkId: network.id, ip4Address: '10.9.0.9', macAddress: '02:00:00:00:09:09', uuid: null, defaultNic: null } })).createNic.nic;
  await ask(add, { nic: { instanceId: instance.id, networkId: 2 } });
  say('created', network.state, network.trafficType, instance.state, instance.type, made.state, made.defaultNic, made.uuid !== null && new Date(made.created) <= new Date());

  const count = async (condition) => (await ask('query ($c: NicCondition!) { allNics(condition: $c) { totalCount } }', { c: condition })).allNics.totalCount;
  say('address', ...(await ask('{ allNics(condition: {ip4Address: "10.9.0.9"}) { nodes { macAddress } } }')).allNics.nodes.map((n) => n.macAddress));
  say('time', await count({ networkId: network.id, created: made.created }), await count({ networkId: network.id, created: '2020-01-01T00:00:00Z' }));
  say('state', await count({ networkId: network.id, state: 'Allocated' }));
  const read = await ask('query ($i: BigInt!) { instanceById(id: $i) { nicsByInstanceId(orderBy: NETWORK_ID_ASC) { nodes { networkByNetworkId { name } } } } }', { i: instance.id });
  say('read', ...read.instanceById.nicsByInstanceId.nodes.map((n) => n.networkByNetworkId.name));
  const listed = await ask('query ($n: BigInt!) { allNetworkInstances(condition: {networkId: $n}) { nodes { instanceName } } }', { n: network.id });
  say('listed', ...listed.allNetworkInstances.nodes.map((r) => r.instanceName));

  const move = (state) => ask('mutation ($i: BigInt!, $s: String!) { updateNicById(input: {id: $i, nicPatch: {state: $s}}) { nic { state } } }', { i: made.id, s: state });
  await move('Reserving');
  const { updateNicById } = await move('Reserved');
  const renamed = await ask('mutation ($i: BigInt!) { updateNetworkById(input: {id: $i, networkPatch: {name: "renamed"}}) { network { name } } }', { i: network.id });
  say('updated', updateNicById.nic.state, renamed.updateNetworkById.network.name);

  const remove = (kind, id) => ask(`mutation ($i: BigInt!) { delete${kind}ById(input: {id: $i}) { clientMutationId } }`, { i: id });
  for (const work of [() => move('Allocated'), () => ask(add, { nic: { instanceId: instance.id, networkId: network.id } }),
    () => remove('Network', network.id), () => remove('Instance', instance.id)]) {
    await work().then(() => say('accepted'), (e) => say('refused', e.code, e.constraint || e.message));
  }

  await remove('Nic', made.id);
  const gone = await ask('query ($n: BigInt!) { allNics(condition: {networkId: $n}) { totalCount } }', { n: network.id });
  say('removed', gone.allNics.totalCount, (await pool.query('SELECT count(*) FROM cloud.all_nics WHERE network_id = $1 AND removed IS NOT NULL', [network.id])).rows[0].count);
  await remove('Network', network.id);
  say('removed', (await ask('{ allNetworks(condition: {name: "renamed"}) { totalCount } }')).allNetworks.totalCount);
  const page = await ask('{ allNics(condition: {networkId: "3"}, orderBy: INSTANCE_ID_ASC, first: 5, offset: 20) { nodes { instanceId } } }');
  say('page', ...page.allNics.nodes.map((n) => n.instanceId));
}
main().finally(() => pool.end());
