// What a map can show, and how it is drawn: the API's tiles, and the leads of the list.
//
// Belongs here: sources, layers, colours. Not here: the map itself (Map.svelte).

import type { FeatureCollection, GeoJsonProperties } from 'geojson'
import type { ExpressionSpecification, FilterSpecification, LayerSpecification, SourceSpecification, StyleSpecification } from 'maplibre-gl'
import { colour } from '../words/colours'

const HEAT = ['#fef0d9', '#fdcc8a', '#fc8d59', '#e34a33', '#b30000'] as const
const LOAD = ['#4393c3', '#fdae61', '#f46d43', '#b30000'] as const

export interface Switched {
  name: string
  on: boolean
  /** The first zoom from which it is there. */
  from: number
  unit?: string
  /** Colours and from which value on each. */
  scale?: [colour: string, from: string][]
}

function scale(colours: readonly string[], steps: string[]): [string, string][] {
  return colours.map((c, i) => [c, steps[i] ?? ''])
}

const PARTS = ['0', '1/25', '4/25', '9/25', '16/25 do maior']

/** What a person switches on and off. */
export const SWITCHES = {
  lista: { name: 'Leads da lista', on: true, from: 0 },
  leads: { name: 'Todos os leads', on: false, from: 0 },
  hexagonos: { name: 'Hexágonos: energia', on: false, from: 5, unit: 'GWh no ano, de', scale: scale(HEAT, ['0', '0,2', '1', '5', '20']) },
  bairros: { name: 'Bairros: energia', on: false, from: 0, unit: 'energia no ano, de', scale: scale(HEAT, PARTS) },
  energia: { name: 'Municípios: energia', on: false, from: 0, unit: 'energia no ano, de', scale: scale(HEAT, PARTS) },
  densidade: { name: 'Municípios: população por km²', on: false, from: 0, unit: 'hab/km², de', scale: scale(HEAT, ['0', '10', '50', '250', '1.000']) },
  alimentadores: { name: 'Alimentadores: perdas', on: false, from: 8, unit: '% do que entrou, de', scale: scale(LOAD, ['0', '5', '10', '20']) },
  transformadores: { name: 'Transformadores: carregamento', on: false, from: 12, unit: 'da potência, de', scale: scale(LOAD, ['0', '0,6', '0,8', '1']) },
} as const satisfies Record<string, Switched>

export type Switch = keyof typeof SWITCHES

const ONE: FilterSpecification = ['!', ['has', 'point_count']]
const SEVERAL: FilterSpecification = ['has', 'point_count']
const OF_DENSITY = [10, 50, 250, 1000]

/** The colour of a part of the greatest: by its root, so that one giant leaves the others told apart. */
function heat(value: number, most: number): string {
  return HEAT[Math.min(4, Math.floor(5 * Math.sqrt(Math.max(0, value) / Math.max(1e-9, most))))]!
}

/** Municípios painted by what is known of each. */
export function painted(name: 'energia' | 'densidade', of: Map<number, number>): ExpressionSpecification | 'transparent' {
  const most = Math.max(...of.values())
  const pairs = [...of].flatMap(([id, value]) => [id, name === 'energia' ? heat(value, most) : HEAT[OF_DENSITY.filter((step) => value >= step).length]!])
  return pairs.length ? (['match', ['id'], ...pairs, 'transparent'] as unknown as ExpressionSpecification) : 'transparent'
}

/** Bairros with a colour each. */
export function colouredQuarters(quarters: FeatureCollection): FeatureCollection {
  const energy = (p: GeoJsonProperties): number => Number(p?.energia_anual_kwh ?? 0)
  const most = Math.max(...quarters.features.map((f) => energy(f.properties)))
  return { ...quarters, features: quarters.features.map((f) => ({ ...f, properties: { ...f.properties, cor: heat(energy(f.properties), most) } })) }
}

/** Which switch a layer belongs to: its id begins with it. */
export function switchOf(layer: string): Switch | null {
  const name = layer.split('-')[0] as Switch
  return name in SWITCHES ? name : null
}

function tiles(layer: string): SourceSpecification {
  return { type: 'vector', url: `${location.origin}/api/v1/mapas/${layer}` }
}

/** A style with everything in it, hidden but for what is on. */
export function style(on: Record<Switch, boolean>): StyleSpecification {
  const layers = [...ground(), ...areas(), ...network(), ...leads()]
  for (const layer of layers) {
    const name = switchOf(layer.id)
    if (name) layer.layout = { ...layer.layout, visibility: on[name] ? 'visible' : 'none' } as typeof layer.layout
  }
  const empty = { type: 'FeatureCollection' as const, features: [] }
  return {
    version: 8,
    sources: {
      municipios: tiles('municipios'),
      hexagonos: tiles('hexagonos'),
      leads: tiles('leads'),
      alimentadores: tiles('alimentadores'),
      transformadores: tiles('transformadores'),
      lista: { type: 'geojson', data: empty, cluster: true, clusterRadius: 36, clusterMaxZoom: 14 },
      bairros: { type: 'geojson', data: empty },
      area: { type: 'geojson', data: empty },
      apontado: { type: 'geojson', data: empty },
    },
    layers,
  }
}

function ground(): LayerSpecification[] {
  return [
    { id: 'fundo', type: 'background', paint: { 'background-color': colour('ground') } },
    { id: 'municipios', type: 'fill', source: 'municipios', 'source-layer': 'municipios', paint: { 'fill-color': colour('paper'), 'fill-outline-color': colour('line') } },
  ]
}

function areas(): LayerSpecification[] {
  const places = { source: 'municipios', 'source-layer': 'municipios', type: 'fill' as const, paint: { 'fill-color': 'transparent', 'fill-opacity': 0.7 } }
  return [
    { id: 'energia', ...places },
    { id: 'densidade', ...places },
    { id: 'bairros', type: 'fill', source: 'bairros', paint: { 'fill-color': ['get', 'cor'], 'fill-opacity': 0.65, 'fill-outline-color': colour('soft') } },
    { id: 'contorno', type: 'line', source: 'municipios', 'source-layer': 'municipios', paint: { 'line-color': colour('soft'), 'line-width': 0.6 } },
    {
      id: 'hexagonos',
      type: 'fill',
      source: 'hexagonos',
      'source-layer': 'hexagonos',
      paint: {
        'fill-color': [
          'case',
          ['has', 'suprimido'],
          colour('line'),
          ['step', ['coalesce', ['get', 'energia_anual_kwh'], 0], HEAT[0], 2e5, HEAT[1], 1e6, HEAT[2], 5e6, HEAT[3], 2e7, HEAT[4]],
        ],
        'fill-opacity': 0.65,
        'fill-outline-color': colour('soft'),
      },
    },
  ]
}

function network(): LayerSpecification[] {
  return [
    {
      id: 'alimentadores',
      type: 'line',
      source: 'alimentadores',
      'source-layer': 'alimentadores',
      paint: {
        'line-width': ['interpolate', ['linear'], ['zoom'], 8, 0.8, 14, 2.5],
        'line-color': ['step', ['coalesce', ['get', 'perdas_pct'], -1], colour('soft'), 0, LOAD[0], 5, LOAD[1], 10, LOAD[2], 20, LOAD[3]],
      },
    },
    {
      id: 'transformadores',
      type: 'circle',
      source: 'transformadores',
      'source-layer': 'transformadores',
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 12, 3, 16, 7],
        'circle-color': ['step', ['coalesce', ['get', 'carregamento_maximo'], -1], colour('soft'), 0, LOAD[0], 0.6, LOAD[1], 0.8, LOAD[2], 1, LOAD[3]],
        'circle-stroke-color': colour('paper'),
        'circle-stroke-width': 1,
      },
    },
  ]
}

function leads(): LayerSpecification[] {
  const radius = ['interpolate', ['linear'], ['log10', ['max', ['get', 'energia_anual_kwh'], 1]], 2, 3, 7, 13] as never
  return [
    {
      id: 'leads',
      type: 'circle',
      source: 'leads',
      'source-layer': 'leads',
      paint: { 'circle-radius': radius, 'circle-color': colour('s4'), 'circle-opacity': 0.45, 'circle-stroke-width': 0.5, 'circle-stroke-color': colour('paper') },
    },
    {
      id: 'lista-grupo',
      type: 'circle',
      source: 'lista',
      filter: SEVERAL,
      paint: { 'circle-color': colour('s1'), 'circle-opacity': 0.75, 'circle-radius': ['step', ['get', 'point_count'], 12, 10, 16, 100, 22], 'circle-stroke-width': 2, 'circle-stroke-color': colour('paper') },
    },
    {
      id: 'lista-quantos',
      type: 'symbol',
      source: 'lista',
      filter: SEVERAL,
      layout: { 'text-field': ['get', 'point_count_abbreviated'], 'text-size': 12 },
      paint: { 'text-color': colour('on-accent') },
    },
    {
      id: 'lista-um',
      type: 'circle',
      source: 'lista',
      filter: ONE,
      paint: { 'circle-radius': radius, 'circle-color': colour('s1'), 'circle-opacity': 0.85, 'circle-stroke-width': 1, 'circle-stroke-color': colour('paper') },
    },
    { id: 'apontado', type: 'circle', source: 'apontado', paint: { 'circle-radius': 12, 'circle-opacity': 0, 'circle-stroke-width': 3, 'circle-stroke-color': colour('s2') } },
    { id: 'area', type: 'line', source: 'area', paint: { 'line-color': colour('s2'), 'line-width': 2, 'line-dasharray': [2, 1] } },
    {
      id: 'nomes',
      type: 'symbol',
      source: 'municipios',
      'source-layer': 'municipios',
      minzoom: 8,
      layout: { 'text-field': ['get', 'nome'], 'text-size': 12 },
      paint: { 'text-color': colour('soft'), 'text-halo-color': colour('paper'), 'text-halo-width': 1.5 },
    },
  ]
}
