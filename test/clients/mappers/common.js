// What the mappers in JavaScript share.
'use strict';

const say = (what, ...values) => console.log(what + ': ' + values.map((v) => v === null || v === undefined ? '-' : String(v)).join(', '));

// node-postgres says SQLSTATE and constraint; a mapper may wrap it
function refusal(error) {
  const e = [error, error.cause, error.original, error.driverError].find((x) => x && x.constraint) || error;
  return [e.code, e.constraint || e.message];
}

// The foreign keys of NICs, and whether a unique index makes one of them one to one,
// for tools that have no relations of their own.
async function relations(query) {
  const rows = await query(`SELECT replace(c.conname, 'all_nics_', '') AS name,
      EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indisunique AND i.indkey::int2[] = c.conkey) AS single
    FROM pg_constraint c WHERE c.conrelid = 'cloud.all_nics'::regclass AND c.contype = 'f' ORDER BY c.conname`);
  return rows.map((r) => r.name.replace('_id_fkey', '') + (r.single ? ' one to one' : ' many to one'));
}
module.exports = { say, refusal, relations };
