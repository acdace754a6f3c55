#!/bin/sh
# Records payloads of vmnet.read_observation() from the programs themselves, without
# a hypervisor, as root:
#
#   test/record-observations.sh [FOLDER]
#
# FOLDER is by default test/data/observations.  Beside each payload NAME.KIND it
# writes NAME.KIND.txt: the command and the version of the program.  It needs the
# packages libvirt-clients, libvirt0, openvswitch-switch, dnsmasq-base, iproute2 (with
# network namespaces), busybox (a DHCP client), prometheus and python3.  A program that
# is missing is named, and its payload is not recorded.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/data/observations}
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null || :; done; rm -rf "$work"' EXIT

# Are all these programs here
have()
{
	for program; do
		command -v "$program" >/dev/null || { echo "not recorded: there is no $program" >&2; return 1; }
	done
}

# Writes the note beside a payload: file, program and version, command
note()
{
	printf '%s\n%s\n' "$2" "$3" >"$out/$1.txt"
	echo "$1: $(wc -c <"$out/$1") bytes" >&2
}

record_libvirt()
{
	cat >"$work/domain.xml" <<'X'
<domain type='test'>
  <name>i-2-7-VM</name>
  <uuid>11111111-0000-4000-8000-000000000007</uuid>
  <memory>65536</memory>
  <os><type>hvm</type></os>
  <devices>
    <interface type='bridge'>
      <mac address='02:00:4a:00:00:07'/>
      <source bridge='breth1-101'/>
      <target dev='vnet7'/>
      <model type='virtio'/>
    </interface>
    <interface type='bridge'>
      <mac address='02:00:4A:00:00:08'/>
      <source bridge='br-int'/>
      <virtualport type='openvswitch'>
        <parameters interfaceid='22222222-0000-4000-8000-000000000008'/>
      </virtualport>
      <target dev='tap8'/>
    </interface>
    <interface type='direct'>
      <mac address='02:00:4a:00:00:09'/>
      <source dev='eth0' mode='bridge'/>
    </interface>
  </devices>
</domain>
X
	{
		echo '<domains>'
		virsh -q -c test:///default \
			"create $work/domain.xml; dumpxml test; dumpxml i-2-7-VM" | sed '/^Domain .* created/d'
		echo '</domains>'
	} >"$out/test.libvirt"
	note test.libvirt "virsh $(virsh --version)" \
		'virsh -c test:///default dumpxml DOMAIN, of each domain, inside <domains>'
}

record_ovs()
{
	export OVS_RUNDIR="$work" OVS_LOGDIR="$work" OVS_DBDIR="$work"
	ovsdb-tool create "$work/conf.db" /usr/share/openvswitch/vswitch.ovsschema
	ovsdb-server "$work/conf.db" --remote="punix:$work/db.sock" --pidfile="$work/ovsdb.pid" --detach --no-chdir --log-file="$work/log" 2>/dev/null
	pids="$pids $(cat "$work/ovsdb.pid")"
	vsctl="ovs-vsctl --db=unix:$work/db.sock --no-wait"
	$vsctl init
	$vsctl add-br br-int
	$vsctl add-port br-int vxlan0 -- set Interface vxlan0 type=vxlan options:remote_ip=192.0.2.1
	for n in 1 2 3; do
		$vsctl add-port br-int "tap$n" -- set Interface "tap$n" \
			"external_ids:attached-mac=\"02:00:4b:00:00:0$n\"" external_ids:iface-status=active \
			"external_ids:iface-id=33333333-0000-4000-8000-00000000000$n" "external_ids:vm-id=44444444-0000-4000-8000-00000000000$n"
	done
	# what ovs-vswitchd writes when the device of a port is gone, and of one that is there
	$vsctl set Interface tap2 'error="could not open network device tap2 (No such device)"'
	$vsctl set Interface tap1 'mac_in_use="fe:00:4b:00:00:01"'
	$vsctl --format=json --columns=name,external_ids,error,mac_in_use list Interface >"$out/server.ovs"
	note server.ovs "$(ovs-vsctl --version | head -1)" \
		'ovs-vsctl --format=json --columns=name,external_ids,error,mac_in_use list Interface'
}

# Two hosts on a bridge, each in a network namespace: one answers, one does not, and
# one gets a lease.
record_network()
{
	unshare -n true || { echo "not recorded: there are no network namespaces" >&2; return; }
	cat >"$work/network.sh" <<'X'
set -eu
out=$1 work=$2
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
ip addr add 10.1.0.1/24 dev br0
ip addr add fd00:1::1/64 dev br0 nodad
for n in 1 2; do
	ip link add "vnet$n" type veth peer name "guest$n" address "02:00:4c:00:00:0$n"
	ip link set "vnet$n" master br0
	ip link set "vnet$n" up
	unshare -n sleep 60 &
	echo $! >"$work/guest$n.pid"
	sleep 0.3
	ip link set "guest$n" netns "$(cat "$work/guest$n.pid")"
	nsenter -t "$(cat "$work/guest$n.pid")" -n sh -c "ip link set lo up; ip link set guest$n up; ip addr add fd00:1::1$n/64 dev guest$n nodad"
done
dnsmasq --no-daemon --conf-file=/dev/null --port=0 --interface=br0 --bind-interfaces --pid-file="$work/dnsmasq.pid" \
	--dhcp-range=10.1.0.50,10.1.0.99,1h --dhcp-range=fd00:1::50,fd00:1::99,64,1h --dhcp-host=02:00:4c:00:00:01,10.1.0.51,web-1 \
	--dhcp-leasefile="$out/dnsmasq.leases" --user=root 2>"$work/dnsmasq.log" &
dnsmasq=$!
sleep 1
for n in 1 2; do
	nsenter -t "$(cat "$work/guest$n.pid")" -n "$work/lease.sh" "guest$n" || echo "guest$n got no lease" >&2
done
kill "$dnsmasq" || :
python3 - <<'P'
import socket
# a packet to each: two that answer over IPv4 or IPv6, and one that does not
for family, address in ((socket.AF_INET, '10.1.0.51'), (socket.AF_INET, '10.1.0.44'), (socket.AF_INET6, 'fd00:1::12')):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        try:
            s.sendto(b'x', (address, 9))
        except OSError:
            pass
P
sleep 0.5
ip -j neigh >"$out/incomplete.neigh"
sleep 4
ip neigh add 10.1.0.9 lladdr 02:00:4c:00:00:99 dev br0
ip -j neigh >"$out/bridge.neigh"
ip -d -j neigh >"$out/details.neigh"
bridge fdb add 02:00:4c:00:00:77 dev vnet1 master static
bridge -j fdb show >"$out/bridge.fdb"
if ip link add br1 type bridge vlan_filtering 1 2>/dev/null; then
	ip link add vnet3 type veth peer name guest3
	ip link set vnet3 master br1
	ip link set br1 up; ip link set vnet3 up; ip link set guest3 up
	bridge vlan add dev vnet3 vid 101
	bridge fdb add 02:00:4c:00:01:01 dev vnet3 master static vlan 101
	bridge -d -j fdb show >"$out/vlan.fdb"
fi
ip link add br2 type bridge
ip -j neigh show dev br2 >"$out/empty.neigh"
for n in 1 2; do kill "$(cat "$work/guest$n.pid")"; done
X
	cat >"$work/lease.sh" <<'X'
#!/bin/sh
busybox udhcpc -i "$1" -n -q -t 4 -T 1 -s "$0.set" -x hostname:"$1" >/dev/null 2>&1
X
	cat >"$work/lease.sh.set" <<'X'
#!/bin/sh
[ "$1" = bound ] && ip addr add "$ip/24" dev "$interface"
exit 0
X
	chmod +x "$work/lease.sh" "$work/lease.sh.set"
	rm -f "$out/dnsmasq.leases" "$out/vlan.fdb"
	unshare -n sh "$work/network.sh" "$out" "$work"
	for f in incomplete bridge empty; do
		note $f.neigh "$(ip -V)" 'ip -j neigh'
	done
	note details.neigh "$(ip -V)" 'ip -d -j neigh'
	note bridge.fdb "$(bridge -V 2>&1)" 'bridge -j fdb show'
	if [ -e "$out/vlan.fdb" ]; then
		note vlan.fdb "$(bridge -V 2>&1)" 'bridge -d -j fdb show'
	else
		echo "not recorded: this kernel has no bridges that are aware of VLANs" >&2
	fi
	note dnsmasq.leases "$(dnsmasq --version | head -1)" 'cat dnsmasq.leases'
}

record_prometheus()
{
	mkdir "$work/metrics"
	for n in 1 2 3; do
		echo "libvirt_domain_interface_stats_info{domain=\"i-2-$n-VM\",mac_address=\"02:00:4d:00:00:0$n\",source_bridge=\"breth1-101\",target_device=\"vnet$n\"} 1"
	done >"$work/metrics/metrics"
	(cd "$work/metrics" && exec python3 -m http.server --bind 127.0.0.1 29177) >/dev/null 2>&1 &
	pids="$pids $!"
	cat >"$work/prometheus.yml" <<'X'
global: {scrape_interval: 1s}
scrape_configs:
- job_name: libvirt
  static_configs: [{targets: ['127.0.0.1:29177']}]
X
	"$prometheus" --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
		--web.listen-address=127.0.0.1:29090 >"$work/prometheus.log" 2>&1 &
	pids="$pids $!"
	python3 - "$out/query.prometheus" <<'P'
import sys, time, urllib.request
url = 'http://127.0.0.1:29090/api/v1/query?query=libvirt_domain_interface_stats_info'
for attempt in range(100):
    time.sleep(0.3)
    try:
        answer = urllib.request.urlopen(url).read()
    except OSError:
        continue
    if b'mac_address' in answer:
        open(sys.argv[1], 'wb').write(answer)
        break
else:
    sys.exit('Prometheus did not answer')
P
	note query.prometheus "$("$prometheus" --version 2>&1 | head -1)" \
		'curl -s http://localhost:9090/api/v1/query?query=libvirt_domain_interface_stats_info'
}

prometheus=${PROMETHEUS:-prometheus}
if have virsh; then record_libvirt; fi
if have ovsdb-tool ovsdb-server ovs-vsctl; then record_ovs; fi
if have ip bridge dnsmasq busybox unshare nsenter python3; then record_network; fi
if have "$prometheus" python3; then record_prometheus; fi
