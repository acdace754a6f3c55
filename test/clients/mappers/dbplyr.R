# The piece of work of 072_mappers.pl in R: dbplyr reads, DBI writes.
suppressPackageStartupMessages({
  library(DBI)
  library(dplyr, warn.conflicts = FALSE)
})

# RPostgreSQL reads types that it does not know as text, and warns each time
options(warn = -1)
connection <- dbConnect(RPostgreSQL::PostgreSQL(), host = Sys.getenv("PGHOST"), port = Sys.getenv("PGPORT"),
                        user = Sys.getenv("PGUSER"), dbname = Sys.getenv("PGDATABASE"), options = "-c search_path=cloud")

say <- function(what, ...) {
  values <- vapply(c(...), function(v) if (is.na(v)) "-" else if (v %in% c("TRUE", "FALSE")) tolower(v) else as.character(v), "")
  cat(what, ": ", paste(values, collapse = ", "), "\n", sep = "")
}
number <- function(x) as.integer(pull(x, n))
one <- function(sql, ...) dbGetQuery(connection, sqlInterpolate(connection, sql, ...))

networks <- tbl(connection, "networks")
instances <- tbl(connection, "instances")
nics <- tbl(connection, "nics")

# a join of views: many NICs to one instance and one network
joined <- nics %>% inner_join(instances, by = c("instance_id" = "id"), suffix = c("", "_of_instance")) %>% collect()
stopifnot(nrow(joined) == number(count(nics)))
cat("relations: instance many to one, network many to one\n")

network <- one("INSERT INTO networks (name, cidr) VALUES (?name, ?cidr) RETURNING *", name = "made", cidr = "10.9.0.0/24")
instance <- one("INSERT INTO instances (name) VALUES (?name) RETURNING *", name = "maker")
# a data frame has every column, NA where nothing is said
frame <- data.frame(uuid = NA_character_, instance_id = c(instance$id, instance$id), network_id = c(network$id, 2), state = NA_character_,
                    ip4_address = c("10.9.0.9", NA), mac_address = c("02:00:00:00:09:09", NA), default_nic = NA, created = NA_character_)
for (i in seq_len(nrow(frame))) {
  invisible(dbGetQuery(connection, paste0("INSERT INTO nics (", paste(names(frame), collapse = ", "), ") VALUES (",
    paste(vapply(frame[i, ], function(v) if (is.na(v)) "NULL" else dbQuoteString(connection, as.character(v)), ""), collapse = ", "), ")")))
}
of_network <- nics %>% filter(network_id == !!network$id)
nic <- of_network %>% collect()
say("created", network$state, network$traffic_type, instance$state, instance$type, nic$state, nic$default_nic,
    !is.na(nic$uuid) & nic$created <= Sys.time())

say("address", nics %>% filter(ip4_address == "10.9.0.9") %>% pull(mac_address))
say("time", number(of_network %>% filter(created >= "2020-01-01") %>% count()), number(of_network %>% filter(created < "2020-01-01") %>% count()))
say("state", number(of_network %>% filter(state == "Allocated") %>% count()))
say("read", nics %>% filter(instance_id == !!instance$id) %>% inner_join(networks, by = c("network_id" = "id"), suffix = c("", "_of_network")) %>%
  arrange(network_id) %>% pull(name))
say("listed", tbl(connection, "network_instances") %>% filter(network_id == !!network$id) %>% pull(instance_name))

for (state in c("Reserving", "Reserved")) invisible(one("UPDATE nics SET state = ?state WHERE id = ?id", state = state, id = nic$id))
invisible(one("UPDATE networks SET name = 'renamed' WHERE id = ?id", id = network$id))
say("updated", of_network %>% pull(state), networks %>% filter(id == !!network$id) %>% pull(name))

# RPostgreSQL has no fields of an error but its message
refused <- function(sql, ...) {
  bare <- sqlInterpolate(connection, sql, ...)
  said <- tryCatch({ dbClearResult(dbSendQuery(connection, bare)); "accepted" }, error = function(e) conditionMessage(e))
  cat("refused: ", sub("\n.*", "", sub(".*ERROR: +", "", said)), "\n", sep = "")
}
refused("UPDATE nics SET state = 'Allocated' WHERE id = ?id", id = nic$id)
refused("INSERT INTO nics (instance_id, network_id) VALUES (?i, ?n)", i = instance$id, n = network$id)
refused("DELETE FROM networks WHERE id = ?id", id = network$id)
refused("DELETE FROM instances WHERE id = ?id", id = instance$id)

invisible(one("DELETE FROM nics WHERE id = ?id", id = nic$id))
say("removed", number(count(of_network)), number(tbl(connection, "all_nics") %>% filter(network_id == !!network$id, !is.na(removed)) %>% count()))
invisible(one("DELETE FROM networks WHERE id = ?id", id = network$id))
say("removed", number(networks %>% filter(name == "renamed") %>% count()))
say("page", nics %>% filter(network_id == 3) %>% arrange(instance_id) %>% mutate(r = row_number()) %>% filter(r > 20, r <= 25) %>% pull(instance_id))
invisible(dbDisconnect(connection))
