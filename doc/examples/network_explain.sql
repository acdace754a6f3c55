-- database: mirror
SELECT rule, verdict, value FROM vmnet.network_explain(204);
