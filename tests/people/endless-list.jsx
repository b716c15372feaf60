import { useEffect, useRef, useState } from 'react';

const PAGE = 20;

export default class EndlessList extends React.Component {
  render() {
    return <Feed total={this.props.total || 100} />;
  }
}

function Feed({ total }) {
  const [shown, setShown] = useState(PAGE);
  const sentinel = useRef();

  useEffect(() => {
    const io = new IntersectionObserver(([entry]) => {
      if (entry.isIntersecting) setShown((n) => Math.min(n + PAGE, total));
    });
    if (sentinel.current) io.observe(sentinel.current);
    return () => io.disconnect();
  }, [shown, total]);

  return (
    <div className="h-64 overflow-y-auto" tabIndex={0} role="region" aria-label="Feed">
      <ol>
        {Array.from({ length: shown }, (_, i) => <li key={i} className="py-2">Entry {i + 1}</li>)}
      </ol>
      {shown < total && <div ref={sentinel}>Loading…</div>}
    </div>
  );
}
