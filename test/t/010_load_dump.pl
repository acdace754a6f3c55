# contrib/load-cloudstack-dump: what mysqldump --tab writes is loaded byte for
# byte and becomes a mirror; what cannot be loaded leaves nothing.
#
# pg_regress cannot do it: the loader is a program, and the dump a folder.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $loader = 'contrib/load-cloudstack-dump';

my $node = PostgreSQL::Test::Cluster->new('load');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION vmnet_ext');

sub write_file
{
	my ($file, $content) = @_;

	open(my $fh, '>:raw', $file) or die "$file: $!";
	print $fh $content;
	close($fh) or die "$file: $!";
	return;
}

# What mysqldump --tab writes beside the rows of a table.
sub definition
{
	my ($table, $columns) = @_;

	return <<"SQL";
-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: cloud
-- ------------------------------------------------------
-- Server version	10.11.6-MariaDB

/*!40101 SET \@OLD_CHARACTER_SET_CLIENT=\@\@CHARACTER_SET_CLIENT */;
/*!40101 SET NAMES utf8mb4 */;

--
-- Table structure for table `$table`
--

DROP TABLE IF EXISTS `$table`;
/*!40101 SET \@saved_cs_client     = \@\@character_set_client */;
/*!40101 SET character_set_client = utf8 */;
CREATE TABLE `$table` (
$columns) ENGINE=InnoDB AUTO_INCREMENT=301 DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci COMMENT='`not` a column';
/*!40101 SET character_set_client = \@saved_cs_client */;

-- Dump completed on 2025-07-05  0:00:00
SQL
}

# Runs the loader, then what it printed; gives the exit status of each and what
# either said to stderr.
sub load
{
	my @arguments = @_;
	my ($commands, $said, $answer, $error) = ('', '', '', '');

	IPC::Run::run([ 'perl', $loader, @arguments ], '>', \$commands, '2>', \$said);
	my $loaded = $?;
	return ($loaded, undef, $said) if $loaded != 0;
	IPC::Run::run([ 'psql', '-X', '-q', '-d', $node->connstr('postgres') ],
		'<', \$commands, '>', \$answer, '2>', \$error);
	return ($loaded, $?, $said . $error);
}

# A folder and a schema whose names have to be quoted, everywhere.
my $dir = PostgreSQL::Test::Utils::tempdir . q{/it's a "dump" \here};
mkdir $dir or die "$dir: $!";

write_file("$dir/networks.sql", definition('networks', <<'SQL'));
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT COMMENT 'id',
  `name` varchar(255) DEFAULT NULL COMMENT 'name for this network',
  `uuid` varchar(40) DEFAULT NULL,
  `traffic_type` varchar(32) NOT NULL COMMENT 'type of traffic going through this network',
  `cidr` varchar(18) DEFAULT NULL,
  `state` varchar(32) NOT NULL,
  `created` datetime NOT NULL,
  `removed` datetime DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `id` (`id`),
  KEY `i_networks__removed` (`removed`),
  CONSTRAINT `fk_networks__related` FOREIGN KEY (`related`) REFERENCES `networks` (`id`) ON DELETE CASCADE
SQL
# A value's tab, line end, backslash and zero byte have a backslash before them
# (0 for the zero byte); a carriage return stands as it is; NULL is \N.
my $name = join('',
	'tab', "\\\t", 'newline', "\\\n", 'backslash', '\\\\', 'return', "\r", 'both', "\r\\\n",
	'two', '\\\\\\\\', 'N', '\\\\N', 'dot', "\\\n", '\\\\.', "\\\n", q{.quotes'"`}, ' ', "\xc3\xa9", ';', '$1', '%s');
write_file("$dir/networks.txt",
	"204\t$name\t05e96759-4e68-4b6a-a45d-78f5fa4cbd72\tGuest\t10.1.1.0/24\tImplemented\t2025-01-06 00:00:00\t\\N\n"
	  . "205\t\\N\t\\N\tGuest\t\\N\tSetup\t2025-01-06 00:00:00\t\\N\n"
	  . "206\t\t\\N\tGuest\t\\N\tDestroy\t2025-01-06 00:00:00\t2025-07-01 12:00:00\n"
	  . "207\tends with a backslash\\\\\t\\N\tGuest\t\\N\tSetup\t2025-01-06 00:00:00\t\\N\n");

write_file("$dir/vm_instance.sql", definition('vm_instance', <<'SQL'));
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `name` varchar(255) NOT NULL,
  `state` varchar(32) NOT NULL,
  `type` varchar(32) NOT NULL,
  `created` datetime NOT NULL COMMENT 'date created',
  `removed` datetime DEFAULT NULL COMMENT 'date removed if not null',
  PRIMARY KEY (`id`)
SQL
write_file("$dir/vm_instance.txt", "1\tvm1\tRunning\tUser\t2025-01-06 00:00:00\t\\N\n");

write_file("$dir/nics.sql", definition('nics', <<'SQL'));
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT COMMENT 'id',
  `instance_id` bigint(20) unsigned DEFAULT NULL COMMENT 'vm instance id',
  `ip4_address` char(40) DEFAULT NULL COMMENT 'ip4 address',
  `network_id` bigint(20) unsigned NOT NULL COMMENT 'network configuration id',
  `state` varchar(32) NOT NULL COMMENT 'state of the creation',
  `default_nic` tinyint(4) NOT NULL COMMENT 'None',
  `created` datetime NOT NULL COMMENT 'date created',
  `removed` datetime DEFAULT NULL COMMENT 'date removed if not null',
  PRIMARY KEY (`id`),
  KEY `fk_nics__instance_id` (`instance_id`)
SQL
# the last line has no end
write_file("$dir/nics.txt",
	"1\t1\t10.1.1.5\t204\tReserved\t1\t2025-01-06 00:00:00\t\\N\n"
	  . "2\t1\t10.1.2.5\t205\tDeallocating\t0\t2025-01-06 00:00:00\t2025-07-01 12:00:00\n"
	  . "3\t\\N\t10.1.1.1\t204\tReserved\t0\t2025-01-06 00:00:00\t\\N");

# names that have to be quoted; a table without rows; a view, which has none
write_file("$dir/It's \"odd\".sql", definition('It\'s "odd"', <<'SQL'));
  `select` int(11) DEFAULT NULL,
  `a``b "c" d'e` varchar(10) DEFAULT NULL,
  `Größe` int(11) DEFAULT NULL
SQL
write_file("$dir/It's \"odd\".txt", "1\tx\0yz\t3\n2\tx\\0yz\t3\n" =~ s/x\0yz/xyz/r);
write_file("$dir/empty.sql", definition('empty', "  `id` bigint(20) unsigned NOT NULL\n"));
write_file("$dir/empty.txt", '');
write_file("$dir/user_vm_view.sql", <<'SQL');
/*!50001 DROP VIEW IF EXISTS `user_vm_view`*/;
SET @saved_cs_client     = @@character_set_client;
/*!50001 CREATE VIEW `user_vm_view` AS SELECT
 1 AS `id`,
  1 AS `name` */;
SQL

my ($printed, $ran, $said) = load($dir, q{My "cloud"'s});
is($printed, 0, 'the loader reads what mysqldump --tab wrote');
is($ran, 0, 'psql runs what it prints');
is($said, "$dir/It's \"odd\".txt: 1 zero bytes were left out, which PostgreSQL cannot store\n",
	'all that is said is what could not be taken');

is($node->safe_psql('postgres', q{SELECT string_agg(relname, ',' ORDER BY relname COLLATE "C") FROM pg_class WHERE relnamespace = '"My ""cloud""''s"'::regnamespace}),
	'It\'s "odd",empty,networks,nics,vm_instance', 'every table is there, and no view');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT format_type(atttypid, atttypmod), ',') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	WHERE relnamespace = '"My ""cloud""''s"'::regnamespace AND attnum > 0}), 'text', 'every column is text');
is($node->safe_psql('postgres', q{SELECT string_agg(attname, '|' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '"My ""cloud""''s"."It''s ""odd"""'::regclass AND attnum > 0}),
	q{select|a`b "c" d'e|Größe}, 'columns have their names');
is($node->safe_psql('postgres', q{SELECT string_agg("a`b ""c"" d'e", ',') FROM "My ""cloud""'s"."It's ""odd"""}), 'xyz,xyz', 'a zero byte is left out, the rest of the value is there');

# what MySQL has in that column, in bytes
my $value = join('',
	'tab', "\t", 'newline', "\n", 'backslash', '\\', 'return', "\r", 'both', "\r\n",
	'two', '\\\\', 'N', '\\N', 'dot', "\n", '\\.', "\n", q{.quotes'"`}, ' ', "\xc3\xa9", ';', '$1', '%s');
is($node->safe_psql('postgres', q{SELECT encode(convert_to(name, 'UTF8'), 'hex') FROM "My ""cloud""'s".networks WHERE id = '204'}),
	unpack('H*', $value), 'a value is what it was, byte for byte');
is($node->safe_psql('postgres', q{SELECT string_agg(coalesce('"' || name || '"', 'NULL'), ' ' ORDER BY id) FROM "My ""cloud""'s".networks WHERE id > '204'}),
	'NULL "" "ends with a backslash\\"', 'NULL, an empty text and a backslash at the end are told apart');

# the same in the mirror
$node->safe_psql('postgres', q{CALL vmnet.import_cloudstack('My "cloud"''s', 'cloud')});
is($node->safe_psql('postgres', q{SELECT nics_read || ' ' || rows_inserted || ' ' || rows_rejected || ' ' || values_changed FROM cloud.import_runs}), '3 8 0 0', 'the import takes all of it as it is');
is($node->safe_psql('postgres', q{SELECT encode(convert_to(name, 'UTF8'), 'hex') FROM cloud.networks WHERE id = 204}), unpack('H*', $value), 'and the mirror has the value, too');
is($node->safe_psql('postgres', q{SELECT instance_name || ' ' || nic_id || ' ' || host(ip4_address) FROM vmnet.network_active_instances(204)}), 'vm1 1 10.1.1.5', 'the instance is listed on its network');
is($node->safe_psql('postgres', q{SELECT count(*) FROM vmnet.network_active_instances(205)}), '0', 'and not on the one that it left');

# a schema that is there already is not touched
$node->safe_psql('postgres', q{CREATE SCHEMA kept});
($printed, $ran, $said) = load($dir, 'kept');
isnt($ran, 0, 'a schema that exists is refused');
like($said, qr/schema "kept" already exists/, 'psql says why');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relnamespace = 'kept'::regnamespace}), '0', 'nothing is put into it');

# a dump that cannot be loaded leaves nothing
write_file("$dir/zz.sql", definition('zz', "  `id` bigint(20) unsigned NOT NULL\n"));
write_file("$dir/zz.txt", "1\n\xff\xfe\n");
($printed, $ran, $said) = load($dir);
isnt($ran, 0, 'bytes that are no text are refused');
like($said, qr/invalid byte sequence/, 'psql says why');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'cloudstack'}), '0', 'half a dump is not left behind');

# the other layout, and the schema's name where none is said
($printed, $ran, $said) = load('test/data/cloudstack-4.19');
is("$printed $ran $said", '0 0 ', 'the layout of the sample dump is read, too');
is($node->safe_psql('postgres', q{SELECT count(*) FROM cloudstack.nics}), '2036', 'into schema cloudstack');

# what is no dump
mkdir "$dir/empty" or die $!;
foreach my $case (
	[ 'no folder is named', qr/^usage: /, ],
	[ 'the folder is not there', qr/^there is no folder /, "$dir/nowhere" ],
	[ 'the folder is empty', qr/ holds no dump: /, "$dir/empty" ],
	[ 'too much is said', qr/^usage: /, $dir, 'a', 'b' ])
{
	my ($title, $message, @arguments) = @$case;
	($printed, $ran, $said) = load(@arguments);
	isnt($printed, 0, "refused: $title");
	like($said, $message, "$title: it says so");
}

$node->stop;
done_testing();
