'use client'

import React from 'react'
import { ArrowDownRight, ArrowUpRight, DollarSign, ShoppingCart, Users } from 'lucide-react'
import clsx from 'clsx'

type Stat = {
  label: string
  value: string
  change: number
  icon: React.ComponentType<{ className?: string }>
}

const stats: Stat[] = [
  { label: 'Revenue', value: '$45,231', change: 20.1, icon: DollarSign },
  { label: 'Subscribers', value: '2,350', change: 180.1, icon: Users },
  { label: 'Orders', value: '1,234', change: -4.3, icon: ShoppingCart },
]

export default function StatsDashboard({ heading = 'Overview' }: { heading?: string }) {
  return (
    <section className="mx-auto max-w-5xl px-4 py-8 sm:px-6 lg:px-8">
      <h2 className="text-2xl font-bold tracking-tight text-heading">{heading}</h2>
      <div className="mt-6 grid grid-cols-1 gap-4 sm:grid-cols-2 lg:grid-cols-3">
        {stats.map(({ label, value, change, icon: Icon }) => (
          <div
            key={label}
            className="rounded-xl border border-border bg-surface p-6 shadow-sm transition-shadow hover:shadow-md"
          >
            <div className="flex items-center justify-between">
              <p className="text-sm font-medium text-text-muted">{label}</p>
              <Icon className="h-4 w-4 text-text-muted" />
            </div>
            <p className="mt-2 text-3xl font-semibold">{value}</p>
            <p
              className={clsx(
                'mt-1 inline-flex items-center gap-1 text-xs font-medium',
                change >= 0 ? 'text-success' : 'text-danger',
              )}
            >
              {change >= 0 ? <ArrowUpRight size={14} aria-hidden /> : <ArrowDownRight size={14} aria-hidden />}
              {Math.abs(change)}% from last month
            </p>
          </div>
        ))}
      </div>
    </section>
  )
}
