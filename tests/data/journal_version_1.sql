-- A journal as version 1 wrote it.
BEGIN TRANSACTION;
CREATE TABLE deals (
    deal_ticket integer primary key,
    time_ms     integer not null,
    body        text not null
) strict;
INSERT INTO "deals" VALUES(70,6,'{"deal_ticket":70,"order_ticket":50,"position_ticket":50,"time_ms":6,"symbol":"EURUSD","kind":"TRADE","side":"BUY","entry":"IN","volume_units":1000000,"price_points":110010,"profit_minor":0,"commission_minor":-354,"swap_minor":0,"fee_minor":0,"reason":"EXPERT","intent_id":1,"comment":""}');
CREATE TABLE halts (
    sequence   integer primary key autoincrement,
    level      integer not null,
    who        text not null,
    reason     text not null,
    time_ms    integer not null,
    request_id integer
) strict;
INSERT INTO "halts" VALUES(1,2,'Ann','storm',8,1);
CREATE TABLE intents (
    intent_id    integer primary key,
    decision_key text not null,
    attempt      integer not null,
    state        text not null,
    symbol       text not null,
    created_ms   integer not null,
    updated_ms   integer not null,
    body         text not null,
    unique (decision_key, attempt)
) strict;
INSERT INTO "intents" VALUES(1,'93be1b6eafdf1b5a0ae13de8dd229f6e',1,'DONE','EURUSD',5,7,'{"intent_id":1,"intent":{"strategy_id":"t","symbol":"EURUSD","action":"OPEN","side":"BUY","volume_units":1000000,"trigger":"bar:1","decided_ms":5,"deadline_ms":60005,"price_points":110010,"stop_loss_points":109810,"take_profit_points":null,"deviation_points":0,"position_ticket":0,"reason":"","signal_id":"t:EURUSD:1"},"state":"DONE","attempt":1,"comment":"mtq1","created_ms":5,"updated_ms":7,"order_ticket":50,"filled_units":1000000,"detail":"10009 Request executed"}');
INSERT INTO "intents" VALUES(2,'3b222508028931fa7cf9fff6ea145268',1,'UNKNOWN','EURUSD',9,10,'{"intent_id":2,"intent":{"strategy_id":"t","symbol":"EURUSD","action":"OPEN","side":"BUY","volume_units":1000000,"trigger":"bar:2","decided_ms":5,"deadline_ms":60005,"price_points":110010,"stop_loss_points":109810,"take_profit_points":null,"deviation_points":0,"position_ticket":0,"reason":"","signal_id":"t:EURUSD:2"},"state":"UNKNOWN","attempt":1,"comment":"mtq2","created_ms":9,"updated_ms":10,"order_ticket":0,"filled_units":0,"detail":"-10005 IPC timeout"}');
CREATE TABLE meta (
    key   text primary key,
    value text not null
) strict;
CREATE TABLE requests (
    request_id integer primary key autoincrement,
    level      integer not null,
    who        text not null,
    reason     text not null,
    time_ms    integer not null,
    taken      integer not null default 0
) strict;
INSERT INTO "requests" VALUES(1,2,'Ann','storm',8,1);
INSERT INTO "requests" VALUES(2,0,'Bob','over',9,0);
CREATE TABLE steps (
    sequence  integer primary key autoincrement,
    intent_id integer not null references intents,
    state     text not null,
    time_ms   integer not null,
    detail    text not null
) strict;
INSERT INTO "steps" VALUES(1,1,'SENDING',5,'');
INSERT INTO "steps" VALUES(2,1,'DONE',7,'10009 Request executed');
INSERT INTO "steps" VALUES(3,2,'UNKNOWN',10,'-10005 IPC timeout');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('steps',3);
INSERT INTO "sqlite_sequence" VALUES('requests',2);
INSERT INTO "sqlite_sequence" VALUES('halts',1);
COMMIT;
pragma user_version = 1;
