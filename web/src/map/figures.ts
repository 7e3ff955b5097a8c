// What the map paints areas by, asked when a layer is switched on.

import type { FeatureCollection } from 'geojson'
import { api, got } from '../api/client'
import { everyPlace } from '../api/lists'

/** The newest year's energy of each município, kWh. */
export async function energyByPlace(): Promise<Map<number, number>> {
  const rows = [...(await everyPlace())].sort((a, b) => a.ano! - b.ano!)
  return new Map(rows.filter((m) => m.energia_anual_kwh !== null).map((m) => [m.municipio_id!, m.energia_anual_kwh!]))
}

/** People per km² of each município. */
export async function densityByPlace(): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  let cursor: string | undefined
  do {
    const page = await got(api.GET('/api/v1/municipios/contexto', { params: { query: { limite: 1000, cursor } } }))
    for (const place of page.itens) if (place.densidade_hab_km2 !== null) found.set(place.municipio_id!, place.densidade_hab_km2)
    cursor = page.cursor ?? undefined
  } while (cursor)
  return found
}

/** The thousand bairros of most energy that have an outline. */
export async function quarters(): Promise<FeatureCollection> {
  const query = { ordem: '-energia_anual_kwh', limite: 1000, formato: 'geojson' as const }
  // The specification's JSON is the list's; as GeoJSON it is a collection of the same rows.
  const { features } = (await got(api.GET('/api/v1/bairros', { params: { query } }))) as unknown as FeatureCollection
  return { type: 'FeatureCollection', features: features.filter((f) => f.geometry) }
}
