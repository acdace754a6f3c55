-- database: managed
SELECT vmnet.nic_event(2, 'ReservationRequested', 'start of web1') AS reserving;
SELECT vmnet.nic_event(2, 'OperationCompleted') AS reserved;
