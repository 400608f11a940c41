/** Metrics with two readers: one is scraped, the other, for a push that never comes, collects nothing. */
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

class Reader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

const scraped = new Reader();
const provider = new MeterProvider();
provider.addMetricReader(scraped);
provider.addMetricReader(new Reader());
const requests = provider.getMeter('shop').createCounter('requests');

export async function operation() {
  requests.add(1, { route: '/items' });
  const { resourceMetrics } = await scraped.collect();
  return resourceMetrics.scopeMetrics.length > 0 ? undefined : { error: 'nothing was collected' };
}
