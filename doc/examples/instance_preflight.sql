-- database: managed
SELECT question, verdict, answer, next FROM vmnet.instance_preflight(1) WHERE question NOT IN ('instance', 'last change');
