-- database: mirror
SELECT rule, verdict, value FROM vmnet.nic_explain(181) WHERE NOT verdict;
