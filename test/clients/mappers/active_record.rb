#!/usr/bin/ruby
# The piece of work of 072_mappers.pl in ActiveRecord, on the live views.  It reads
# columns and their types from the catalog; models of Rails name table and key.
require 'active_record'

ActiveRecord::Base.establish_connection(
  adapter: 'postgresql', host: ENV['PGHOST'], port: ENV['PGPORT'], username: ENV['PGUSER'], database: ENV['PGDATABASE'],
  schema_search_path: 'cloud'
)
ActiveRecord.try(:default_timezone=, :utc)

class Network < ActiveRecord::Base
  self.primary_key = 'id'
  has_many :nics
end

class Instance < ActiveRecord::Base
  self.primary_key = 'id'
  # it has a column type, which is not the class
  self.inheritance_column = nil
  has_many :nics
end

class Nic < ActiveRecord::Base
  self.primary_key = 'id'
  belongs_to :instance, optional: true
  belongs_to :network
end

class NetworkInstance < ActiveRecord::Base
end

class AllNic < ActiveRecord::Base
end

def say(what, *values)
  puts what + ': ' + values.map { |v| v.nil? ? '-' : v.to_s }.join(', ')
end

def refused
  ActiveRecord::Base.transaction(requires_new: true) { yield }
  say 'accepted'
rescue ActiveRecord::StatementInvalid => e
  result = e.cause.result
  say 'refused', result.error_field(PG::PG_DIAG_SQLSTATE), result.error_field(PG::PG_DIAG_CONSTRAINT_NAME)
end

# what the schema dumper and annotate read: foreign keys, and unique indexes
keys = ActiveRecord::Base.connection.foreign_keys('all_nics')
unique = ActiveRecord::Base.connection.indexes('all_nics').select(&:unique).map(&:columns)
say 'relations', *%w[instance_id network_id].map { |column|
  key = keys.find { |k| k.options[:column] == column }
  "#{key.to_table.sub(/\A(cloud\.)?all_/, '').chomp('s')} #{unique.include?([column]) ? 'one to one' : 'many to one'}"
}

network = Network.create!(name: 'made', cidr: '10.9.0.0/24')
instance = Instance.create!(name: 'maker')
nic = Nic.create!(instance: instance, network: network, ip4_address: '10.9.0.9', mac_address: '02:00:00:00:09:09')
Nic.create!(instance: instance, network_id: 2)
[network, instance, nic].each(&:reload)
say 'created', network.state, network.traffic_type, instance.state, instance.type, nic.state, nic.default_nic,
    !nic.uuid.nil? && nic.created <= Time.now

say 'address', *Nic.where(ip4_address: '10.9.0.9').pluck(:mac_address)
say 'time', network.nics.where('created >= ?', Time.utc(2020)).count, network.nics.where('created < ?', Time.utc(2020)).count
say 'state', network.nics.where(state: 'Allocated').count
say 'read', *instance.nics.includes(:network).order(:network_id).map { |n| n.network.name }
say 'listed', *NetworkInstance.where(network_id: network.id).pluck(:instance_name)

%w[Reserving Reserved].each { |state| nic.update!(state: state) }
network.update!(name: 'renamed')
say 'updated', nic.reload.state, Network.find(network.id).name

refused { Nic.find(nic.id).update!(state: 'Allocated') }
refused { Nic.create!(instance: instance, network: network) }
refused { Network.find(network.id).destroy! }
refused { Instance.find(instance.id).destroy! }

nic.destroy!
say 'removed', network.nics.count, AllNic.where(network_id: network.id).where.not(removed: nil).count
network.destroy!
say 'removed', Network.where(name: 'renamed').count
say 'page', *Instance.joins(:nics).where(nics: { network_id: 3 }).order(:id).offset(20).limit(5).pluck(:id)
