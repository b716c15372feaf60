<section className="asked" aria-labelledby="asked-title">
  <h2 id="asked-title">{props.title}</h2>
  <div className="asked-list">
    {props.questions.map((each) => (
      <details key={each.ask} className="asked-one">
        <summary>{each.ask}</summary>
        <p>{each.say}</p>
      </details>
    ))}
  </div>
</section>
