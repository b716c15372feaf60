import { useEffect, useRef, useState } from "react";

class Particle {
  constructor(public x: number, public y: number, private vx = Math.random() - 0.5, private vy = Math.random() - 0.5) {}
  step(w: number, h: number) {
    this.x = (this.x + this.vx + w) % w;
    this.y = (this.y + this.vy + h) % h;
  }
}

export default function ParticleCanvas({ count = 60, height = 240 }: { count?: number; height?: number }) {
  const ref = useRef<HTMLCanvasElement | null>(null);
  const [running, setRunning] = useState(true);

  useEffect(() => {
    const canvas = ref.current!;
    const ctx = canvas.getContext("2d");
    if (!ctx) return;
    const particles = Array.from({ length: count }, () => new Particle(Math.random() * canvas.width, Math.random() * canvas.height));
    let frame = 0;
    const draw = () => {
      ctx.clearRect(0, 0, canvas.width, canvas.height);
      ctx.fillStyle = getComputedStyle(canvas).color;
      for (const p of particles) {
        p.step(canvas.width, canvas.height);
        ctx.beginPath();
        ctx.arc(p.x, p.y, 2, 0, Math.PI * 2);
        ctx.fill();
      }
      canvas.dataset.frames = String(Number(canvas.dataset.frames ?? 0) + 1);
      if (running) frame = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, [count, running]);

  return (
    <div className="relative text-primary">
      <canvas ref={ref} width={600} height={height} className="w-full rounded-lg bg-surface-sunken" role="img" aria-label="Drifting dots" />
      <button className="absolute top-2 right-2" onClick={() => setRunning(!running)} aria-pressed={!running}>
        {running ? "Pause" : "Play"}
      </button>
    </div>
  );
}
