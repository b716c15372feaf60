import React from "react";

class Fence extends React.Component {
  constructor(props) {
    super(props);
    this.state = { failed: false };
    this.retry = this.retry.bind(this);
  }
  static getDerivedStateFromError() {
    return { failed: true };
  }
  componentDidMount() {
    this.props.onReady && this.props.onReady();
  }
  retry() {
    this.setState({ failed: false });
  }
  render() {
    return this.state.failed ? <button onClick={this.retry}>Try again</button> : this.props.children;
  }
}

export default class ErrorFence extends React.PureComponent {
  state = { ready: false, clicks: 0 };
  handle = () => this.setState(({ clicks }) => ({ clicks: clicks + 1 }));
  render() {
    return (
      <Fence onReady={() => this.setState({ ready: true })}>
        <button onClick={this.handle}>Clicked {this.state.clicks} times{this.state.ready ? "." : "…"}</button>
      </Fence>
    );
  }
}
