-- database: mirror
SELECT question, verdict, next FROM vmnet.network_preflight(204);
