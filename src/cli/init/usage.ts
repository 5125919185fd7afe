/** What `poise init --help` prints. Called by exchange.ts. */
export const initUsage = `Usage: poise init exchange --servers NAME=ADDRESS,… --name HOST --vip ADDRESS/BITS --cert FILE [options]

Writes haproxy.cfg, keepalived.conf for both nodes and poise.cfg for an Exchange site.

  --servers NAME=ADDRESS,…  the Exchange servers, by their own host names (healthcheck.htm tells them, which is compared)
  --name HOST               the name that clients use; may be repeated, the first one is used in health checks
  --vip ADDRESS/BITS        the virtual address and the prefix length of its network
  --cert FILE               PEM file with certificate, chain and key, or the key in FILE.key: the one the Exchange servers have
  --ca FILE                 authority that signed it: the servers' certificates are verified (otherwise they are not)
  --services WORD,…         owa, mapi, eas, ews, autodiscover, oab, ecp, rpc: all of them without this option; services left out are
                            refused. With --mode tcp nothing is refused, and the first one is health-checked for all
  --smtp --imap --pop       also ports 25 and 587, 143 and 993, 110 and 995
  --mode l7|tcp             l7: TLS ends here, one health check for each service (default); tcp: TLS goes through
  --from haproxy|poise      haproxy: the site moves over from a running HAProxy and keepalived: their user and socket, and no poise.cfg;
                            poise: a new site (default). haproxy.cfg and keepalived.conf are valid for the originals either way
  --inside NETWORK,…        may reach healthcheck.htm and PowerShell through the balancer; nobody may without this option
  --nodes NAME[=ADDRESS],…  the two balancers, the preferred one first (default lb01,lb02)
  --interface NAME          where the nodes have the virtual address (default: the one of this machine in that network, or eth0)
  --router-id N             number of the pair in its network, 1 to 255 (default 51)
  --mail-to ADDRESS,…       mail at every change of the virtual address; needs --mail-server ADDRESS[:PORT]
  --mail-from ADDRESS       sender of that mail (default balancer@ and the domain of --name)
  --webhook URL             such changes are also posted there
  --out FOLDER              where the files go (default: here)
  --force                   overwrite files that are there`;
