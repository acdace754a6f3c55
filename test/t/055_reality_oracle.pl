# Differences between what is observed and an inventory, against an oracle in Perl.
# Inventories and pictures are made at random; pictures are complete, partial,
# repeated, late (refused), empty and with records that cannot be read.  Open facts,
# closed facts and every row of the view reality have to be those of the oracle.
#
# pg_regress cannot do it: the oracle is in another language.
#
# VMNET_REALITY_FACTS says how many facts there are (100000 for a long run),
# VMNET_REALITY_SEED repeats the choices of a run.

use strict;
use warnings FATAL => 'all';

use List::Util qw(any all max min none sum0);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $wanted = $ENV{VMNET_REALITY_FACTS} // 6000;
my $seed = $ENV{VMNET_REALITY_SEED} // time;
note "$wanted facts, seed $seed";
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nTimeZone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', q(
	CREATE EXTENSION vmnet_ext;
	SELECT vmnet.create_inventory('cloud', 'mirror'), vmnet.enable_reality('cloud');
	-- what observe() answers, or why it refuses
	CREATE FUNCTION try(observer text, at bigint, complete boolean, payload text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		said text;
	BEGIN
		SELECT concat_ws(' ', seen, new, gone, rejected) FROM vmnet.observe(observer, payload, to_timestamp(at), complete, inventory => 'cloud') INTO said;
		RETURN said;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS said = CONSTRAINT_NAME;
		RETURN coalesce(nullif(said, ''), SQLERRM);
	END $$;));

# In a calm round pictures come as they should, and most NICs have not changed.
my ($calm, $rounds) = (0, 0);
my (%nets, %insts, @nics, @secondary, %observers, %exact, %any, %open, @past, $base, $facts, %explored);

sub one { return $_[ int rand @_ ] }
sub chance { return rand() < $_[0] }
sub sql { my ($v) = @_; return defined $v && $v ne '' ? "'$v'" : 'NULL' }
sub at { my ($v) = @_; return defined $v ? "to_timestamp($v)" : 'NULL' }
sub mac { return sprintf '02:00:00:00:%02x:%02x', @_ }
sub uuid { return sprintf '00000000-0000-4000-8000-%012d', $_[0] }

# An inventory, and who observes it.
sub new_round
{
	%nets = %insts = %observers = %exact = %any = %open = ();
	@nics = @secondary = @past = ();
	$calm = ++$rounds % 2 == 0;
	$base = int $node->safe_psql('postgres', 'SELECT extract(epoch FROM now())');
	$nets{$_} = { uuid => uuid($_), removed => chance(0.15) ? $base - int rand 3000 : undef } for 1 .. 5;
	$insts{$_} = {
		uuid => uuid(100 + $_), state => one('Running', 'Running', 'Stopped'), host => one(undef, 'h1', 'h2'), host_id => one(undef, 3, 4),
		zone => one(1, 2), type => one('User', 'User', 'DomainRouter'), removed => chance(0.15) ? $base - int rand 3000 : undef } for 1 .. 12;
	my %taken;
	foreach my $id (1 .. 30)
	{
		my $created = $base - 300 - int rand($calm ? 8000 : 4000);
		my $ended = chance(0.4) ? $created + int rand($base - $created + 1) : undef;
		my ($net, $ip) = (one(sort keys %nets), chance(0.8) ? '10.0.0.' . (1 + int rand 12) : undef);
		undef $ip if !defined $ended && defined $ip && $taken{"$net $ip"}++;
		push @nics, {
			id => $id, net => $net, inst => chance(0.95) ? one(sort keys %insts) : undef, mac => mac(0, 1 + int rand($calm ? 60 : 22)), ip => $ip,
			created => $created, changed => $ended // ($calm && chance(0.8) ? $created : $created + int rand($base - $created)), ended => $ended,
			half => defined $ended && chance(0.2), type => one('User', 'User', 'User', 'DomainRouter') };
		push @secondary, [ $id, '10.0.0.' . (1 + int rand 12) ] if chance(0.2);
	}
	foreach my $host ('h1', 'h2', '3')
	{
		foreach my $segment (map { "br$_" } 1 .. 6)
		{
			$exact{$host}{$segment} = one(sort keys %nets) if chance(0.5);
		}
	}
	foreach my $segment (map { "br$_" } 1 .. 6)
	{
		$any{$segment} = one(sort keys %nets) if chance(0.3);
	}
	%observers = (
		d1 => { kind => 'csv', domains => 1 }, d2 => { kind => 'csv', domains => 1 }, n1 => { kind => 'csv', domains => 0 },
		n2 => { kind => 'csv', domains => 0 }, l1 => { kind => 'leases', domains => 0 }, api => { kind => 'cloudstack', domains => 0 });
	foreach my $o (values %observers)
	{
		@$o{qw(host zone every pictures last)} = (one(undef, 'h1'), one(undef, undef, 1, 2), $calm ? 1500 : 600, 0, $base - 900 - int rand 900);
		$o->{made} = $base - 100 - int rand 1000;
	}
	$observers{l1}{host} = 'h2';
	$observers{api}{zone} = undef;

	my @sql = ('SET session_replication_role = replica',
		'TRUNCATE cloud.all_networks, cloud.all_instances, cloud.all_nics, cloud.all_nic_secondary_ips, cloud.observers, cloud.segments, cloud.sightings, cloud.sighting_history, cloud.observation_log');
	push @sql, "INSERT INTO cloud.all_networks (id, uuid, state, removed) VALUES ($_, '$nets{$_}{uuid}', 'Implemented', " . at($nets{$_}{removed}) . ')' foreach keys %nets;
	push @sql, "INSERT INTO cloud.all_instances (id, uuid, state, type, host_name, host_id, zone_id, removed) VALUES ($_, '$insts{$_}{uuid}', '$insts{$_}{state}', '$insts{$_}{type}', "
	  . join(', ', sql($insts{$_}{host}), sql($insts{$_}{host_id}), $insts{$_}{zone}, at($insts{$_}{removed})) . ')' foreach keys %insts;
	push @sql, 'INSERT INTO cloud.all_nics (id, network_id, instance_id, mac_address, ip4_address, created, state, state_changed, removed, vm_type, strategy) VALUES ('
	  . join(', ', $_->{id}, $_->{net}, sql($_->{inst}), sql($_->{mac}), sql($_->{ip}), at($_->{created}), sql(defined $_->{ended} ? 'Deallocating' : 'Reserved'),
		at($_->{changed}), at($_->{half} ? undef : $_->{ended}), sql($_->{type}), "'Start'") . ')' foreach @nics;
	push @sql, "INSERT INTO cloud.all_nic_secondary_ips (id, nic_id, network_id, ip4_address, created) SELECT coalesce(max(id), 0) + 1, $_->[0], 1, '$_->[1]', now() FROM cloud.all_nic_secondary_ips" foreach @secondary;
	foreach my $host (keys %exact)
	{
		push @sql, "INSERT INTO cloud.segments (host, segment, network_id) VALUES ('$host', '$_', $exact{$host}{$_})" foreach keys %{ $exact{$host} };
	}
	push @sql, "INSERT INTO cloud.segments (segment, network_id) VALUES ('$_', $any{$_})" foreach keys %any;
	foreach my $name (keys %observers)
	{
		my $o = $observers{$name};
		push @sql, "INSERT INTO cloud.observers (name, kind, host, zone_id, every, sees_domains, created) VALUES ('$name', '$o->{kind}', "
		  . join(', ', sql($o->{host}), sql($o->{zone}), "'$o->{every} seconds'", $o->{kind} eq 'csv' ? sql($o->{domains} ? 't' : 'f') : 'NULL', at($o->{made})) . ')';
	}
	$node->safe_psql('postgres', join(";\n", @sql));
	return;
}

# A fact as its observer may see it.
sub random_fact
{
	my ($name) = @_;
	my $o = $observers{$name};
	# in a calm round nobody sees the NICs that were made last
	my $nic = one($calm ? @nics[ 0 .. 14 ] : @nics);
	my $mac = chance(0.15) ? mac(1, 1 + int rand 4) : $nic->{mac};
	my $ip = chance(0.6) && defined $nic->{ip} ? $nic->{ip} : '10.0.0.' . (1 + int rand 12);
	if ($o->{kind} eq 'leases')
	{
		return { mac => $mac, ip => $ip, host => $o->{host}, segment => '', domain => '', uuid => '' };
	}
	if ($o->{kind} eq 'cloudstack')
	{
		my $net = chance(0.8) ? $nic->{net} : one(sort keys %nets);
		my $inst = defined $nic->{inst} && chance(0.9) ? $nic->{inst} : one(sort keys %insts);
		return { mac => $mac, ip => $ip, host => $o->{host} // '', segment => uuid($net), domain => "vm$inst", uuid => uuid(100 + $inst) };
	}
	return {
		mac => $mac, ip => $o->{domains} && chance(0.7) ? '' : $ip, host => one('h1', 'h2', '3', '') || $o->{host} || '', segment => 'br' . (1 + int rand 6),
		domain => $o->{domains} ? 'dom' . (1 + int rand 3) : '', uuid => '' };
}

sub key_of { my ($f) = @_; return join '|', @$f{qw(host segment mac ip domain uuid)} }

sub payload
{
	my ($kind, $bad, @records) = @_;
	if ($kind eq 'leases')
	{
		return join '', map({ "0 $_->{mac} $_->{ip} x *\n" } @records), ("0 zz:00 10.0.0.1 x *\n") x $bad;
	}
	if ($kind eq 'cloudstack')
	{
		my @vms = map { sprintf '{"id":"%s","name":"%s","nic":[{"networkid":"%s","macaddress":"%s","ipaddress":"%s"}]}', @$_{qw(uuid domain segment mac ip)} } @records;
		push @vms, ('{"id":"x","nic":[{"macaddress":"01:00:5e:00:00:01"}]}') x $bad;
		return '{"listvirtualmachinesresponse":{' . (@vms ? '"count":' . @vms . ',"virtualmachine":[' . join(',', @vms) . ']' : '') . '}}';
	}
	return join "\n", 'mac,ip,segment,domain,host', map({ join ',', @$_{qw(mac ip segment domain host)} } @records), ('ff:ff:ff:ff:ff:ff,,br1,,h1') x $bad, '';
}

# A picture of an observer: its statement, and what it should answer.
sub picture
{
	my ($name) = @_;
	my $o = $observers{$name};
	my $open = $open{$name} //= {};
	my $at = chance(0.1) ? $o->{last} - 1 - int rand 50 : chance(0.15) ? $o->{last} : $o->{last} + 1 + int rand 260;
	$at = min($at, $base + 100);
	my $complete = chance($calm ? 0.95 : 0.6);
	my @records;
	push @records, map { { %{ $_->{fact} } } } grep { chance(0.8) } map { $open->{$_} } sort keys %$open unless chance(0.05);
	push @records, map { random_fact($name) } 1 .. 2 + int rand 10 unless chance(0.05);
	@records = () if chance(0.03);
	push @records, { %{ $records[0] } } if @records && chance(0.2);
	my $bad = chance(0.2) ? 1 + int rand 2 : 0;
	$facts += @records;
	my $statement = sprintf q{SELECT try('%s', %d, %s, $p$%s$p$)}, $name, $at, $complete ? 'true' : 'false', payload($o->{kind}, $bad, @records);

	if (defined $o->{last_at} && $at < $o->{last_at})
	{
		$explored{late}++;
		return [ $statement, 'observation_out_of_order' ];
	}
	if ($complete && !@records && keys %$open >= 10)
	{
		$explored{empty}++;
		return [ $statement, 'observation_empty' ];
	}
	my ($new, $gone, %has) = (0, 0);
	foreach my $r (@records)
	{
		my $key = key_of($r);
		next if $has{$key}++;
		my $f = $open->{$key};
		if (!$f)
		{
			$new++;
			$open->{$key} = { fact => $r, first => $at, last => $at, seen => 1 };
		}
		elsif ($f->{last} < $at)
		{
			@$f{qw(prev last)} = ($f->{last}, $at);
			$f->{seen}++;
		}
		else
		{
			$explored{repeated}++;
		}
	}
	if ($complete)
	{
		foreach my $key (grep { !$has{$_} } keys %$open)
		{
			$gone++;
			push @past, join '|', $name, $key, $open->{$key}{first}, $open->{$key}{last}, $open->{$key}{seen}, $at;
			delete $open->{$key};
		}
		$o->{complete} = $at;
		$explored{closed} += $gone;
	}
	else
	{
		$explored{partial}++;
		$explored{kept} += grep { !$has{$_} } keys %$open;
	}
	$o->{pictures}++ if !defined $o->{last_at} || $o->{last_at} != $at;
	$o->{last_at} = $o->{last} = $at;
	return [ $statement, join ' ', scalar @records, $new, $gone, $bad ];
}

# The differences at a time, as rows of text.
sub differences
{
	my ($now) = @_;
	my (@rows, @wire);
	my $row = sub { push @rows, join '|', map { $_ // '' } @_; return };
	my $active_on = sub { my ($net, $ip) = @_; return grep { !defined $_->{ended} && $_->{net} == $net && defined $_->{ip} && $_->{ip} eq $ip } @nics };
	my %by_mac;
	push @{ $by_mac{ $_->{mac} } }, $_ foreach @nics;
	foreach my $name (sort keys %open)
	{
		my $o = $observers{$name};
		foreach my $f (map { $open{$name}{$_} } sort keys %{ $open{$name} })
		{
			my $s = $f->{fact};
			push @wire, { %$f, %$s, name => $name, o => $o, fresh => $f->{last} >= $now - $o->{every},
				net => $exact{ $s->{host} }{ $s->{segment} } // $any{ $s->{segment} } };
		}
	}
	my @listed = grep { $_->{o}{kind} eq 'cloudstack' } @wire;
	@wire = grep { $_->{o}{kind} ne 'cloudstack' } @wire;

	foreach my $s (@wire)
	{
		my $say = sub {
			my ($code, $net, $other, $inst, $nic, $after) = @_;
			return unless $s->{last} > $after;
			$row->($code, $s->{fresh} && defined $s->{prev} && $s->{prev} > $after ? 'error' : 'warning', $net, $other, $inst, $nic,
				@$s{qw(mac ip name host segment)}, $s->{seen}, $s->{fresh} ? 't' : 'f');
		};
		my @of = @{ $by_mac{ $s->{mac} } // [] };
		foreach my $n (grep { !defined $_->{ended} } @of)
		{
			my $i = defined $n->{inst} ? $insts{ $n->{inst} } : undef;
			$say->('seen_on_other_network', $n->{net}, $s->{net}, $n->{inst}, $n->{id}, $n->{created})
			  if defined $s->{net} && $s->{net} != $n->{net} && none { !defined $_->{ended} && $_->{net} == $s->{net} } @of;
			$say->('seen_with_other_address', $n->{net}, undef, $n->{inst}, $n->{id}, $n->{created})
			  if $s->{ip} ne '' && defined $n->{ip} && $s->{ip} ne $n->{ip} && $n->{type} eq 'User' && none { $_->[0] == $n->{id} && $_->[1] eq $s->{ip} } @secondary;
			my $host = !$i ? undef : defined $i->{host} ? $i->{host} : $s->{host} =~ /^\d+$/ ? $i->{host_id} : undef;
			$say->('seen_on_other_host', $n->{net}, undef, $n->{inst}, $n->{id}, max(@$n{qw(created changed)}))
			  if $i && $i->{state} eq 'Running' && $s->{o}{domains} && $s->{host} ne '' && defined $host && $s->{host} ne $host;
		}
		if (@of && all { defined $_->{ended} } @of)
		{
			my ($n) = sort { $b->{created} <=> $a->{created} || $b->{id} <=> $a->{id} } @of;
			my @args = ($n->{net}, undef, $n->{inst}, $n->{id}, $n->{ended});
			$say->($s->{o}{kind} eq 'leases' ? 'lease_of_removed' : 'observed_but_removed', @args);
			$say->('address_given_again', @args) if any { $_ ne '' && $active_on->($n->{net}, $_) } $n->{ip} // '', $s->{ip};
		}
		if (!@of)
		{
			$say->('observed_unknown', $s->{net}, undef, undef, undef, defined $s->{net} || $s->{o}{domains} ? 0 : 9e15) if defined $s->{net} || $s->{o}{domains};
			$row->('observed_unknown', 'warning', ('') x 4, @$s{qw(mac ip name host segment)}, $s->{seen}, $s->{fresh} ? 't' : 'f') if !defined $s->{net} && !$s->{o}{domains};
			my ($h) = defined $s->{net} && $s->{ip} ne '' ? $active_on->($s->{net}, $s->{ip}) : ();
			$say->('address_given_again', $s->{net}, undef, undef, $h->{id}, 0) if $h;
		}
		next unless $s->{ip} ne '' && defined $s->{net} && $s->{o}{kind} ne 'leases';
		my @others = grep { $_->{o}{kind} ne 'leases' && $_->{ip} eq $s->{ip} && defined $_->{net} && $_->{net} == $s->{net} && $_->{mac} ne $s->{mac} } @wire;
		next unless @others;
		my ($b) = sort { $b->{fresh} <=> $a->{fresh} || defined($b->{prev}) <=> defined($a->{prev}) } @others;
		$row->('two_macs_one_ip', $s->{fresh} && defined $s->{prev} && $b->{fresh} && defined $b->{prev} ? 'error' : 'warning', $s->{net}, ('') x 3,
			@$s{qw(mac ip name host segment)}, $s->{seen}, $s->{fresh} && $b->{fresh} ? 't' : 'f');
	}

	my @looking = grep { $_->{kind} ne 'cloudstack' } values %observers;
	my @domains = grep { $_->{domains} } @looking;
	foreach my $n (grep { !defined $_->{ended} && defined $_->{inst} } @nics)
	{
		my $i = $insts{ $n->{inst} };
		my $changed = max(@$n{qw(created changed)});
		if (!defined $i->{removed} && $i->{state} eq 'Running')
		{
			my @zone = grep { !defined $_->{zone} || $_->{zone} == $i->{zone} } @looking;
			if ((any { $_->{domains} } @zone) && (all { defined $_->{complete} && $_->{complete} >= $now - $_->{every} && $changed < $_->{complete} } @zone)
				&& (!defined $i->{host} || any { !defined $_->{host} || $_->{host} eq $i->{host} } @domains) && (none { $_->{mac} eq $n->{mac} } @wire))
			{
				$row->('live_but_unseen', (all { $changed < $_->{complete} - $_->{every} && $_->{pictures} >= 2 } @zone) ? 'error' : 'warning',
					$n->{net}, '', $n->{inst}, @$n{qw(id mac ip)}, '', $i->{host}, '', 0, 't');
			}
		}
		my $api = $observers{api};
		if (!defined $i->{removed} && !defined $nets{ $n->{net} }{removed} && $i->{type} eq 'User' && !defined $api->{zone}
			&& defined $api->{complete} && $api->{complete} >= $now - $api->{every} && $api->{complete} > $changed
			&& (any { $_->{segment} eq uuid($n->{net}) } @listed) && none { $_->{segment} eq uuid($n->{net}) && $_->{uuid} eq $i->{uuid} } @listed)
		{
			$row->('on_network_but_not_listed', $changed < $api->{complete} - $api->{every} && $api->{pictures} >= 2 ? 'error' : 'warning',
				$n->{net}, '', $n->{inst}, @$n{qw(id mac ip)}, 'api', $api->{host}, uuid($n->{net}), 0, 't');
		}
	}
	foreach my $s (@listed)
	{
		my ($net) = grep { uuid($_) eq $s->{segment} } keys %nets;
		my ($inst) = grep { $insts{$_}{uuid} eq $s->{uuid} } keys %insts;
		my @there = grep { $_->{net} == $net && defined $_->{inst} && $_->{inst} == $inst } @nics;
		next if !defined $nets{$net}{removed} && !defined $insts{$inst}{removed} && any { !defined $_->{ended} } @there;
		my ($e) = sort { $b->{half} <=> $a->{half} || $b->{ended} <=> $a->{ended} || $b->{id} <=> $a->{id} } grep { defined $_->{ended} } @there;
		my $after = $e ? $e->{ended} : $nets{$net}{removed} // 0;
		next unless $s->{last} > $after;
		$row->('listed_but_not_on_network', $s->{fresh} && defined $s->{prev} && $s->{prev} > $after ? 'error' : 'warning', $net, '', $inst, $e ? $e->{id} : '',
			@$s{qw(mac ip name host segment)}, $s->{seen}, $s->{fresh} ? 't' : 'f');
	}
	foreach my $name (keys %observers)
	{
		my $o = $observers{$name};
		my $since = $o->{last_at} // $o->{made};
		$row->('observer_silent', $since < $now - 3 * $o->{every} ? 'error' : 'warning', ('') x 6, $name, $o->{host}, '', $o->{pictures}, 'f') if $since < $now - $o->{every};
	}
	return sort @rows;
}

# In what two lists of rows differ.
sub compare
{
	my ($what, $got, $expected) = @_;
	my %count;
	$count{$_}++ foreach @$got;
	$count{$_}-- foreach @$expected;
	my @wrong = grep { $count{$_} } sort keys %count;
	diag("$what, seed $seed: " . join "\n", map { ($count{$_} > 0 ? 'only the view: ' : 'only the oracle: ') . $_ } @wrong[ 0 .. min(9, $#wrong) ]) if @wrong;
	return scalar @wrong;
}

my ($wrong_answers, $wrong_facts, $wrong_past, $wrong_rows, $rows, $findings) = (0) x 6;
$facts = 0;
while ($facts < $wanted)
{
	new_round();
	foreach my $check (1 .. 3)
	{
		my @pictures = map { picture($_) } ($calm ? sort keys %observers : ()), map { one(sort keys %observers) } 1 .. ($calm ? 8 : 12);
		my @said = split /\n/, $node->safe_psql('postgres', join ";\n", map { $_->[0] } @pictures);
		$wrong_answers += compare('answers', [ map { "$_ $said[$_]" } 0 .. $#said ], [ map { "$_ $pictures[$_][1]" } 0 .. $#pictures ]);
		my ($now, @all) = split /\n/, $node->safe_psql('postgres', q(BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT extract(epoch FROM now());
			SELECT 'o|' || concat_ws('|', observer, coalesce(host, ''), coalesce(segment, ''), mac_address, coalesce(host(ip_address), ''), coalesce(domain, ''), coalesce(domain_uuid::text, ''),
				extract(epoch FROM first_seen)::bigint, extract(epoch FROM last_seen)::bigint, observations) FROM cloud.sightings;
			SELECT 'p|' || concat_ws('|', observer, coalesce(host, ''), coalesce(segment, ''), mac_address, coalesce(host(ip_address), ''), coalesce(domain, ''), coalesce(domain_uuid::text, ''),
				extract(epoch FROM first_seen)::bigint, extract(epoch FROM last_seen)::bigint, observations, extract(epoch FROM gone_since)::bigint) FROM cloud.sighting_history;
			SELECT 'r|' || concat_ws('|', code, severity, coalesce(network_id::text, ''), coalesce(other_network_id::text, ''), coalesce(instance_id::text, ''), coalesce(nic_id::text, ''),
				coalesce(mac_address::text, ''), coalesce(host(ip_address), ''), coalesce(observer, ''), coalesce(host, ''), coalesce(segment, ''), observations, fresh) FROM cloud.reality;
			SELECT 'f|' || count(*) FROM vmnet.check_inventory('cloud', codes => ARRAY(SELECT code FROM vmnet_internal.checks() WHERE needs = 'reality'));
			COMMIT));
		my %got = (o => [], p => [], r => [], f => []);
		push @{ $got{ substr $_, 0, 1 } }, substr $_, 2 foreach @all;
		my @expected = differences($now);
		$wrong_facts += compare('open facts', $got{o}, [ map { my $n = $_; map { join '|', $n, $_, @{ $open{$n}{$_} }{qw(first last seen)} } keys %{ $open{$n} } } keys %open ]);
		$wrong_past += compare('closed facts', $got{p}, \@past);
		$wrong_rows += compare('differences', [ map { s/\|true$/|t/r =~ s/\|false$/|f/r } @{ $got{r} } ], \@expected);
		$findings += abs($got{f}[0] - @expected);
		$rows += @expected;
		foreach my $r (@expected)
		{
			my ($code, $severity) = split /\|/, $r;
			$explored{$code}++;
			$explored{$severity}++;
			$explored{stale}++ if $r =~ /f$/;
		}
	}
}
note "$rounds rounds, $facts facts, $rows differences, seed $seed";
note join ', ', map { "$_: $explored{$_}" } sort keys %explored;
is($wrong_answers, 0, 'observe() answers as the oracle does');
is($wrong_facts, 0, 'open facts are those of the oracle, so that no partial picture closes one');
is($wrong_past, 0, 'so are closed facts');
is($wrong_rows, 0, 'differences are those of the oracle');
is($findings, 0, 'check_inventory() finds each of them');
cmp_ok($explored{$_} // 0, '>=', 1 + int($wanted / 2000), "there was enough of: $_")
  foreach qw(observed_but_removed address_given_again observed_unknown seen_on_other_network seen_with_other_address two_macs_one_ip lease_of_removed
  seen_on_other_host observer_silent listed_but_not_on_network error warning stale late repeated partial kept closed);
cmp_ok($explored{$_} // 0, '>=', 1, "there was: $_") foreach qw(live_but_unseen on_network_but_not_listed);

$node->stop;
done_testing();
