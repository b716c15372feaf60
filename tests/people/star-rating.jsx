let StarRating = function ({ max = 5, onRate }) {
  const [rating, setRating] = useState(0)
  const [hover, setHover] = useState(null)

  const handleRate = (n) => {
    setRating(n)
    if (onRate) onRate(n)
  }

  return (
    <div role="radiogroup" aria-label="Rating">
      {[...Array(max)].map((_, i) => {
        const n = i + 1
        return (
          <button key={n} type="button" role="radio" aria-checked={rating === n} aria-label={n + (n === 1 ? ' star' : ' stars')}
            onClick={() => handleRate(n)} onMouseEnter={() => setHover(n)} onMouseLeave={() => setHover(null)}
            style={{ color: n <= (hover ?? rating) ? 'goldenrod' : 'gray', background: 'none', border: 0, fontSize: 28 }}>
            ★
          </button>
        )
      })}
      <span className="said">{rating ? `${rating} of ${max}` : 'Not rated'}</span>
    </div>
  )
}
