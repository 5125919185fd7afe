/**
 * Component states of one simulated Exchange server, as Get- and Set-ServerComponentState know them: each requester has its own
 * say, and a component is effectively Active only when every requester that said something says Active. No I/O.
 */
const componentNames = [
  'ServerWideOffline', 'OwaProxy', 'EcpProxy', 'EwsProxy', 'MapiProxy', 'RpcProxy', 'ActiveSyncProxy', 'OabProxy', 'AutoDiscoverProxy', 'RpsProxy',
  'HubTransport', 'FrontendTransport', 'ImapProxy', 'PopProxy',
] as const;
export type ComponentName = (typeof componentNames)[number];

const requesterNames = ['HealthAPI', 'Maintenance', 'Sidelined', 'Functional', 'Deployment'] as const;
type RequesterName = (typeof requesterNames)[number];

const stateNames = ['Active', 'Inactive', 'Draining'] as const;
type StateName = (typeof stateNames)[number];

function pick<T extends string>(names: readonly T[], text: string): T | undefined {
  const lower = text.toLowerCase();
  return names.find((name) => name.toLowerCase() === lower);
}

/** Names are matched as PowerShell does: without regard to case. */
export const componentByName = (text: string): ComponentName | undefined => pick(componentNames, text);
export const requesterByName = (text: string): RequesterName | undefined => pick(requesterNames, text);
export const stateByName = (text: string): StateName | undefined => pick(stateNames, text);

export class ComponentStates {
  private readonly said = new Map<ComponentName, Map<RequesterName, StateName>>();

  set(component: ComponentName, requester: RequesterName, state: StateName): void {
    const requesters = this.said.get(component) ?? new Map<RequesterName, StateName>();
    requesters.set(requester, state);
    this.said.set(component, requesters);
  }

  /** ServerWideOffline takes every other component with it. */
  effective(component: ComponentName): StateName {
    const own = this.own(component);
    if (component === 'ServerWideOffline' || own !== 'Active') return own;
    return this.own('ServerWideOffline') === 'Active' ? 'Active' : 'Inactive';
  }

  private own(component: ComponentName): StateName {
    for (const state of this.said.get(component)?.values() ?? []) {
      if (state !== 'Active') return state;
    }
    return 'Active';
  }

  all(): { readonly component: ComponentName; readonly state: StateName }[] {
    return componentNames.map((component) => ({ component, state: this.effective(component) }));
  }
}
