import { useCart } from '@robbieblocks/cart-button'
import { useShallow } from 'zustand/react/shallow'
import { ShoppingCart } from 'lucide-react'

export default function CartBadge() {
  const { items, clear } = useCart(useShallow((s) => ({ items: s.items, clear: s.clear })))
  const count = Object.values(items).reduce((a, b) => a + b, 0)
  return (
    <div className="inline-flex items-center gap-2">
      <ShoppingCart aria-hidden className="size-5" />
      <span className="badge rounded-full bg-accent px-2 text-on-accent">{count}</span>
      {count > 0 && <button onClick={clear}>Empty</button>}
    </div>
  )
}
