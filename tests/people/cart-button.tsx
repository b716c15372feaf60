import { create } from 'zustand'
import { persist } from 'zustand/middleware'

interface Cart { items: Record<string, number>; add: (sku: string) => void; clear: () => void }

export const useCart = create<Cart>()(
  persist(
    (set) => ({
      items: {},
      add: (sku) => set((s) => ({ items: { ...s.items, [sku]: (s.items[sku] ?? 0) + 1 } })),
      clear: () => set({ items: {} }),
    }),
    { name: 'cart' },
  ),
)

export default function CartButton({ sku = 'mug' }: { sku?: string }) {
  const add = useCart((s) => s.add)
  return <button className="rounded bg-primary px-3 py-2 text-on-primary" onClick={() => add(sku)}>Add {sku}</button>
}
