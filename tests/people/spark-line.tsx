import { memo, useId } from 'react'

type Point = readonly [x: number, y: number]

function scale<T extends number>(values: readonly T[], width: number, height: number): Point[] {
  const [min, max] = [Math.min(...values), Math.max(...values)]
  const span = max - min || 1
  return values.map((v, i) => [(i / (values.length - 1)) * width, height - ((v - min) / span) * height] as const)
}

const SparkLine = memo(function SparkLine({ values, width = 160, height = 40 }: { values: number[]; width?: number; height?: number }) {
  const points = scale(values, width, height)
  const gradient = useId()
  return (
    <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={`Trend of ${values.length} values`}>
      <title>Trend</title>
      <defs>
        <linearGradient id={gradient} x1="0" x2="0" y1="0" y2="1">
          <stop offset="0%" stopColor="currentColor" stopOpacity={0.4} />
          <stop offset="100%" stopColor="currentColor" stopOpacity={0} />
        </linearGradient>
      </defs>
      <polygon points={`0,${height} ${points.map((p) => p.join()).join(' ')} ${width},${height}`} fill={`url(#${gradient})`} />
      <polyline points={points.map((p) => p.join()).join(' ')} fill="none" stroke="currentColor" strokeWidth="1.5" />
    </svg>
  )
})

export default SparkLine
