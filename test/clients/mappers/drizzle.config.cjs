module.exports = {
  dialect: 'postgresql', out: './generated/drizzle', schemaFilter: ['cloud'],
  dbCredentials: { host: process.env.PGHOST, port: Number(process.env.PGPORT), user: process.env.PGOWNER || process.env.PGUSER,
    database: process.env.PGDATABASE, ssl: false },
};
