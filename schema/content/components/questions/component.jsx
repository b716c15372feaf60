<section className="asked" aria-label={props.title}>
  <h2>{props.title}</h2>
  <div className="asked-list">
    {props.questions.map((each, index) => (
      <details key={each.ask} className="asked-one" open={index === 0}>
        <summary>{each.ask}</summary>
        <p>{each.say}</p>
      </details>
    ))}
  </div>
</section>
