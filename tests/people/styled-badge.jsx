const styles = {
  badge: { display: 'inline-block', padding: '4px 12px', borderRadius: 999, fontWeight: 600, '--glow': '0 0 8px currentColor', boxShadow: 'var(--glow)' },
  ok: { color: '#126c38', backgroundColor: '#d6f5e3' },
  bad: { color: '#8c1d18', backgroundColor: '#fde4e2' },
}

const StyledBadge = ({ ok, children }) => (
  <span style={{ ...styles.badge, ...(ok ? styles.ok : styles.bad) }}>{children}</span>
)

export default function Demo() {
  return (
    <>
      <style>{`
        @keyframes blink { 50% { opacity: .4 } }
        .blinking { animation: blink 1s infinite }
      `}</style>
      <StyledBadge ok>Passed</StyledBadge>{' '}
      <span className="blinking"><StyledBadge>Failed</StyledBadge></span>
    </>
  )
}
