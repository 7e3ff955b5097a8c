# Leads de cada município e a energia deles. Lê PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD.
# Rscript docs/bi/municipios.R
library(DBI)
driver <- if (requireNamespace("RPostgres", quietly = TRUE)) RPostgres::Postgres() else RPostgreSQL::PostgreSQL()
armazem <- dbConnect(
  driver,
  host = Sys.getenv("PGHOST"), port = as.integer(Sys.getenv("PGPORT")), dbname = Sys.getenv("PGDATABASE"),
  user = Sys.getenv("PGUSER"), password = Sys.getenv("PGPASSWORD")
)
municipios <- dbGetQuery(armazem, paste(readLines("docs/bi/municipios.sql"), collapse = "\n"))
invisible(dbDisconnect(armazem))
write.csv(municipios, stdout(), row.names = FALSE)
