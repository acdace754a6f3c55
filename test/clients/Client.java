// The piece of work of 070_clients.pl through JDBC.  Where to connect to is in
// the environment, as libpq reads it.

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public class Client {
	static Connection connection;
	static Map<String, PreparedStatement> statements = new HashMap<>();

	static Connection connect() throws SQLException {
		Map<String, String> env = System.getenv();
		Properties p = new Properties();
		p.setProperty("user", env.get("PGUSER"));
		p.setProperty("password", env.get("PGPASSWORD"));
		p.setProperty("ApplicationName", env.get("PGAPPNAME"));
		// how often a statement is sent before the server keeps it; 0: never
		p.setProperty("prepareThreshold", env.containsKey("VMNET_POOLED") ? "0" : "2");
		Connection c = DriverManager.getConnection("jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT")
			+ "/" + env.get("PGDATABASE"), p);
		c.setAutoCommit(false);
		return c;
	}

	static String text(Object value) {
		return value == null ? "-" : value instanceof Boolean b ? (b ? "t" : "f") : value.toString();
	}

	static void say(String what, Object... values) {
		List<String> texts = new ArrayList<>();
		for (Object v : values)
			texts.add(text(v));
		System.out.println(what + ": " + String.join(", ", texts));
	}

	// A String is sent as varchar, a Long as bigint.
	static PreparedStatement bind(String sql, Object... values) throws SQLException {
		PreparedStatement s = statements.get(sql);
		if (s == null)
			statements.put(sql, s = connection.prepareStatement(sql));
		for (int i = 0; i < values.length; i++)
			if (values[i] instanceof Long n)
				s.setLong(i + 1, n);
			else
				s.setString(i + 1, (String) values[i]);
		return s;
	}

	static int run(String sql, Object... values) throws SQLException {
		return bind(sql, values).executeUpdate();
	}

	static List<Object[]> rows(String sql, Object... values) throws SQLException {
		List<Object[]> list = new ArrayList<>();
		try (ResultSet r = bind(sql, values).executeQuery()) {
			while (r.next()) {
				Object[] row = new Object[r.getMetaData().getColumnCount()];
				for (int i = 0; i < row.length; i++)
					row[i] = r.getObject(i + 1);
				list.add(row);
			}
		}
		return list;
	}

	static void refused(String sql, Object... values) throws SQLException {
		try {
			bind(sql, values).execute();
			say("accepted", sql);
		} catch (PSQLException e) {
			ServerErrorMessage m = e.getServerErrorMessage();
			say("refused", e.getSQLState(), m.getConstraint(), m.getSchema(), m.getTable());
			for (String line : new String[] { m.getMessage(), m.getDetail(), m.getHint() })
				System.out.println("  " + text(line));
		}
		connection.rollback();
	}

	static void asActor(String actor) throws SQLException {
		rows("SELECT set_config('vmnet.actor', ?, true)", actor);
	}

	static void fetch(String listing) throws SQLException {
		long fetched = 0, sum = 0, last = 0;
		boolean ordered = true;
		try (PreparedStatement s = connection.prepareStatement(listing)) {
			s.setLong(1, 3);
			s.setFetchSize(100);
			ResultSet r = s.executeQuery();
			while (r.next()) {
				long id = r.getLong(1);
				if (++fetched == 100)
					run("DELETE FROM cloud.nics WHERE instance_id = ?", 2000L);
				ordered &= id > last;
				sum += last = id;
			}
		}
		say("fetched", 10, fetched, sum, ordered);
		say("left", rows("SELECT count(*) FROM vmnet.network_active_instances(?)", 3L).get(0));
		connection.rollback();
	}

	public static void main(String[] args) throws Exception {
		System.setOut(new java.io.PrintStream(System.out, true, "UTF-8"));
		connection = connect();
		say("bound", rows("SELECT CAST(pg_typeof(?) AS text)", "x").get(0));
		for (Object[] row : rows("SELECT instance_id, instance_name, instance_state, nic_id, nic_state, default_nic, mac_address, ip4_address, ip6_address"
			+ " FROM vmnet.network_active_instances(?)", 1L))
			say("listed", row);
		connection.commit();

		asActor("alice");
		Long added = (Long) rows("SELECT vmnet.nic_add(?, ?, ?::inet)", 3L, 1L, "10.1.0.30").get(0)[0];
		say("added", added);
		Object[] inserted = rows("INSERT INTO cloud.nics (instance_id, network_id) VALUES (?, ?) RETURNING id, state, default_nic", 3L, 2L).get(0);
		say("inserted", inserted);
		connection.commit();

		asActor("bob");
		for (String state : new String[] { "Reserving", "Reserved", "Releasing", "Reserved", "Releasing", "Allocated", "Reserving" })
			say("moved", state, run("UPDATE cloud.nics SET state = ? WHERE id = ?", state, added),
				rows("SELECT count(*) FROM cloud.nics WHERE state = ? AND network_id <> 3", state).get(0)[0]);
		connection.commit();

		asActor("mallory");
		run("UPDATE cloud.nics SET state = ? WHERE id = ?", "Reserved", added);
		connection.rollback();

		refused("UPDATE cloud.nics SET state = ? WHERE id = ?", "Releasing", 1L);
		refused("UPDATE cloud.networks SET removed = now() WHERE id = ?", 1L);
		refused("INSERT INTO cloud.nics (instance_id, network_id) VALUES (?, ?)", 1L, 1L);
		refused("SELECT vmnet.nic_add(?, ?, ?::inet)", 1L, 2L, "10.2.0.255");
		refused("SELECT vmnet.nic_remove(?)", added);

		say("deleted", run("DELETE FROM cloud.nics WHERE id = ?", inserted[0]));
		say("deleted", run("DELETE FROM cloud.nics WHERE id = ?", inserted[0]));
		for (int again = 0; again < 2; again++)
			say("removed", rows("SELECT vmnet.nic_remove(?)", added).get(0));
		connection.commit();

		fetch("SELECT instance_id, instance_name FROM vmnet.network_active_instances(?)");
		fetch("SELECT instance_id, instance_name FROM cloud.network_instances WHERE network_id = ? ORDER BY instance_id");

		for (Object[] row : rows("SELECT h.nic_id, h.event, h.from_state, h.to_state, h.removed IS NOT NULL, h.session_username, h.actor, h.application_name"
			+ " FROM cloud.nic_history h ORDER BY h.seq"))
			say("history", row);
		connection.commit();
	}
}
