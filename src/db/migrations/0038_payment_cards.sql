-- Each version of WeChat Pay's API has a card of its own: what the last test of the key of v2 said stands on v2's.
update trials set part = 'pay_v2' where part = 'pay';
