import React, { useReducer } from 'react'

type Field = 'email' | 'password'
type State = { values: Record<Field, string>; touched: Partial<Record<Field, boolean>>; sent: boolean }
type Action = { type: 'change'; field: Field; value: string } | { type: 'blur'; field: Field } | { type: 'submit' }

const initial: State = { values: { email: '', password: '' }, touched: {}, sent: false }

function validate(values: State['values']) {
  const errors: Partial<Record<Field, string>> = {}
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(values.email)) errors.email = 'Enter a valid email address'
  if (values.password.length < 8) errors.password = 'At least 8 characters'
  return errors
}

function reducer(state: State, action: Action): State {
  switch (action.type) {
    case 'change':
      return { ...state, values: { ...state.values, [action.field]: action.value }, sent: false }
    case 'blur':
      return { ...state, touched: { ...state.touched, [action.field]: true } }
    case 'submit': {
      const ok = Object.keys(validate(state.values)).length === 0
      return { ...state, touched: { email: true, password: true }, sent: ok }
    }
  }
}

export default function SignupForm(): JSX.Element {
  const [state, dispatch] = useReducer(reducer, initial)
  const errors = validate(state.values)
  const field = (name: Field, type: string, label: string) => (
    <div className="mb-4">
      <label htmlFor={name} className="block text-sm font-medium">{label}</label>
      <input
        id={name} name={name} type={type} value={state.values[name]} autoComplete={type === 'email' ? 'email' : 'new-password'}
        aria-invalid={!!(state.touched[name] && errors[name])} aria-describedby={`${name}-error`}
        onChange={e => dispatch({ type: 'change', field: name, value: e.target.value })}
        onBlur={() => dispatch({ type: 'blur', field: name })}
        className="mt-1 w-full rounded-md border border-border-strong bg-surface px-3 py-2 focus:ring-2 focus:ring-primary focus:outline-none"
      />
      <p id={`${name}-error`} role="alert" className="min-h-5 text-sm text-danger">{state.touched[name] && errors[name]}</p>
    </div>
  )
  return (
    <form noValidate className="max-w-sm" onSubmit={e => { e.preventDefault(); dispatch({ type: 'submit' }) }}>
      {field('email', 'email', 'Email')}
      {field('password', 'password', 'Password')}
      <button type="submit" className="w-full rounded-md bg-primary py-2 font-semibold text-on-primary">Sign up</button>
      {state.sent && <p role="status">Welcome aboard!</p>}
    </form>
  )
}
