const FaqAccordion = ({ items = [] }) => {
  const [open, setOpen] = React.useState(null)
  return (
    <dl className="faq">
      {items.map((item, index) => (
        <React.Fragment key={index}>
          <dt>
            <button aria-expanded={open === index} onClick={() => setOpen(open === index ? null : index)}>
              {item.q} <span className="sign" aria-hidden="true">{open === index ? '−' : '+'}</span>
            </button>
          </dt>
          {open === index && <dd>{item.a}</dd>}
        </React.Fragment>
      ))}
    </dl>
  )
}
