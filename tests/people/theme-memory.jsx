import { useEffect, useState } from 'react'

function usePersisted(key, initial) {
  const [value, setValue] = useState(() => {
    if (typeof window === 'undefined') return initial
    try {
      const raw = window.localStorage.getItem(key)
      return raw !== null ? JSON.parse(raw) : initial
    } catch (e) {
      return initial
    }
  })
  useEffect(() => {
    window.localStorage.setItem(key, JSON.stringify(value))
  }, [key, value])
  return [value, setValue]
}

export default function ThemeMemory() {
  const [size, setSize] = usePersisted('reading-size', 'medium')
  return (
    <fieldset>
      <legend>Reading size</legend>
      {['small', 'medium', 'large'].map(s => (
        <label key={s} style={{ marginRight: 12 }}>
          <input type="radio" name="size" value={s} checked={size === s} onChange={e => setSize(e.target.value)} /> {s}
        </label>
      ))}
    </fieldset>
  )
}
