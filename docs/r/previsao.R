# Prevê os próximos doze meses de cada série e escreve o arquivo que o armazém importa (docs/r.md).
#   Rscript docs/r/previsao.R series.csv unidades.csv previsoes.csv [treinado_ate, AAAA-MM]
# Só R puro: nenhum pacote.

argumentos <- commandArgs(trailingOnly = TRUE)
if (length(argumentos) < 3) stop("uso: Rscript previsao.R series.csv unidades.csv previsoes.csv [AAAA-MM]")

ler <- function(arquivo) {
  read.csv2(arquivo, fileEncoding = "UTF-8", stringsAsFactors = FALSE,
            colClasses = c(serie_id = "character"))
}

# As 16 colunas do SCR: confere que vieram, e com os tipos certos.
colunas <- c("data_geracao", "periodo_referencia", "estado", "municipio", "tipo_consumidor", "classe_consumo",
             "grupo_tarifario", "potencia_instalada_kw", "quantidade_uc", "latitude", "longitude",
             "tensao_fornecimento", "grupo_tensao", "situacao_ativacao", "data_conexao", "fonte_energia")
unidades <- read.csv2(argumentos[2], fileEncoding = "UTF-8", stringsAsFactors = FALSE)
stopifnot(identical(names(unidades), colunas), is.numeric(unidades$latitude),
          is.numeric(unidades$potencia_instalada_kw), !anyNA(as.Date(unidades$data_geracao)))
cat(sprintf("%d unidades, %.1f kW instalados, %s\n", nrow(unidades),
            sum(unidades$potencia_instalada_kw, na.rm = TRUE), unidades$municipio[1]))

series <- ler(argumentos[1])
series$competencia <- as.Date(series$competencia)
if (length(argumentos) > 3) {
  series <- series[series$competencia <= as.Date(paste0(argumentos[4], "-01")), ]
}

# O modelo: a média de cada mês do ano, com a faixa do desvio dos meses. Troque por forecast::auto.arima, se o tiver.
prever <- function(uma) {
  uma <- uma[order(uma$competencia), ]
  fim <- max(uma$competencia)
  meses <- seq(fim, by = "month", length.out = 13)[-1]
  do_mes <- tapply(uma$energia_kwh, format(uma$competencia, "%m"), mean)
  media <- as.numeric(do_mes[format(meses, "%m")])
  media[is.na(media)] <- mean(uma$energia_kwh)
  desvio <- if (nrow(uma) > 1) sd(uma$energia_kwh) else media[1] / 2
  data.frame(contrato = 1, distribuidora_id = uma$distribuidora_id[1], nivel = uma$nivel[1],
             serie_id = uma$serie_id[1], competencia = format(meses), modelo = "media_do_mes_r",
             media = media, inferior = pmax(0, media - 1.96 * desvio), superior = media + 1.96 * desvio,
             treinado_ate = format(fim))
}
chave <- paste(series$distribuidora_id, series$nivel, series$serie_id, sep = "\r")
previsoes <- do.call(rbind, lapply(split(series, chave), prever))
write.csv2(previsoes, argumentos[3], row.names = FALSE, quote = TRUE, fileEncoding = "UTF-8")
cat(sprintf("%d previsoes de %d series\n", nrow(previsoes), length(unique(chave))))
