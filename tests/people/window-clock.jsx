import { useState, useEffect } from "react"

export default function WindowClock() {
  const [mounted, setMounted] = useState(false)
  const [now, setNow] = useState(new Date())

  useEffect(() => {
    setMounted(true)
    const id = setInterval(() => setNow(new Date()), 1000)
    return () => clearInterval(id)
  }, [])

  if (!mounted) return <time suppressHydrationWarning>--:--</time>
  return (
    <time dateTime={now.toISOString()} className="font-mono">
      {now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })} ({Intl.DateTimeFormat().resolvedOptions().timeZone})
    </time>
  )
}
