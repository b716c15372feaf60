import { useState } from "react";
import { CartesianGrid, Legend, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";

const data = [
  { month: "Jan", revenue: 4000, cost: 2400 },
  { month: "Feb", revenue: 3000, cost: 1398 },
  { month: "Mar", revenue: 5200, cost: 3800 },
  { month: "Apr", revenue: 4780, cost: 3908 },
];

export default function RevenueChart() {
  const [showCost, setShowCost] = useState(true);
  return (
    <div className="rounded-xl border border-border p-4">
      <label><input type="checkbox" checked={showCost} onChange={(e) => setShowCost(e.target.checked)} /> Show cost</label>
      <div style={{ width: "100%", height: 300 }}>
        <ResponsiveContainer>
          <LineChart data={data} margin={{ top: 8, right: 16, bottom: 8, left: 0 }}>
            <CartesianGrid strokeDasharray="3 3" />
            <XAxis dataKey="month" />
            <YAxis />
            <Tooltip />
            <Legend />
            <Line type="monotone" dataKey="revenue" stroke="var(--color-chart-1)" strokeWidth={2} isAnimationActive={false} />
            {showCost && <Line type="monotone" dataKey="cost" stroke="var(--color-chart-2)" isAnimationActive={false} />}
          </LineChart>
        </ResponsiveContainer>
      </div>
    </div>
  );
}
