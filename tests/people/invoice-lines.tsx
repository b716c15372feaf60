interface Line { name: string; qty: number; price: number }
interface Props { lines?: Line[]; issued?: string }

const InvoiceLines: React.FC<Props> = ({ lines = [], issued }) => {
  const total = lines.reduce((sum, l) => sum + l.qty * l.price, 0);
  return (
    <div className="overflow-x-auto">
      <table className="min-w-full text-left text-sm">
        <caption className="text-left">Issued {issued ? new Date(issued).toLocaleDateString() : "today"}</caption>
        <thead><tr><th scope="col">Item</th><th scope="col">Qty</th><th scope="col">Price</th></tr></thead>
        <tbody>
          {lines.map((l, i) => (
            <tr key={i} className="odd:bg-surface-sunken"><td>{l.name}</td><td>{l.qty}</td><td>{l.price.toLocaleString(undefined, { style: "currency", currency: "EUR" })}</td></tr>
          ))}
        </tbody>
        <tfoot><tr><td colSpan={2}>Total</td><td className="total">{total.toLocaleString()}</td></tr></tfoot>
      </table>
    </div>
  );
};
export { InvoiceLines };
