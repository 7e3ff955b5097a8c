// Drawing a box or a polygon on a map by hand.

import type { Map } from 'maplibre-gl'
import { TerraDraw, TerraDrawPolygonMode, TerraDrawRectangleMode } from 'terra-draw'
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter'

export type Shape = 'rectangle' | 'polygon'
type Position = [number, number]

/** One drawing; it ends by itself when the shape is done. */
export function draw(map: Map, shape: Shape, done: (corners: Position[]) => void): () => void {
  const drawing = new TerraDraw({ adapter: new TerraDrawMapLibreGLAdapter({ map }), modes: [new TerraDrawRectangleMode(), new TerraDrawPolygonMode()] })
  drawing.start()
  drawing.setMode(shape)
  drawing.on('finish', (id) => {
    const drawn = drawing.getSnapshotFeature(id)
    drawing.stop()
    if (drawn?.geometry.type === 'Polygon') done((drawn.geometry.coordinates[0] as Position[]).slice(0, -1))
  })
  return () => drawing.enabled && drawing.stop()
}
