import { useEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'

export default function ConfirmModal() {
  const [open, setOpen] = useState(false)
  const [answer, setAnswer] = useState<string | null>(null)
  const confirmRef = useRef<HTMLButtonElement>(null)

  useEffect(() => {
    if (!open) return
    confirmRef.current?.focus()
    const onKey = (e: KeyboardEvent) => e.key === 'Escape' && setOpen(false)
    document.addEventListener('keydown', onKey)
    document.body.style.overflow = 'hidden'
    return () => {
      document.removeEventListener('keydown', onKey)
      document.body.style.overflow = ''
    }
  }, [open])

  return (
    <>
      <button onClick={() => setOpen(true)} className="rounded-md border border-border-strong px-4 py-2">Delete account</button>
      {answer && <output className="ml-4">{answer}</output>}
      {open && createPortal(
        <div className="fixed inset-0 z-50 grid place-items-center bg-black/60 backdrop-blur-sm" onClick={() => setOpen(false)}>
          <div role="dialog" aria-modal="true" aria-labelledby="confirm-title" onClick={e => e.stopPropagation()}
               className="w-80 rounded-2xl bg-surface p-6 text-text shadow-2xl">
            <h2 id="confirm-title" className="text-lg font-bold">Are you sure?</h2>
            <div className="mt-6 flex justify-end gap-2">
              <button onClick={() => setOpen(false)}>Cancel</button>
              <button ref={confirmRef} className="rounded bg-red-700 px-3 py-1 text-white" onClick={() => { setAnswer('Deleted'); setOpen(false) }}>Delete</button>
            </div>
          </div>
        </div>,
        document.body,
      )}
    </>
  )
}
