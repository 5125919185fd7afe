/**
 * Every named limit of the data plane and the configuration readers, with its unit last in the name.
 * Nothing else in the project holds a buffer, queue or table bound as a bare number.
 */
export const limits = {
  /** Request or response head, request line included. 64 KiB: Kerberos tokens of users in many groups reach 48 KB. */
  headBytesMax: 65536,
  /** Header lines of one message. HAProxy: tune.http.maxhdr 101; Exchange and its clients stay far below. */
  headerCountMax: 256,
  /** One line of a chunked body (size and extensions) or one trailer line. */
  chunkLineBytesMax: 4096,
  /** Trailer section of a chunked body. */
  trailerBytesMax: 16384,
  /** Bytes that may wait in one direction of a connection before its source is paused. */
  pendingWriteBytesMax: 65536,
  /** Content inspection buffer in mode tcp (HAProxy: tune.bufsize). */
  inspectBytesMax: 16384,
  /** PROXY protocol header, version 2 with TLVs. */
  proxyHeaderBytesMax: 4096,
  /** Bytes of a health-check answer that are looked at (HAProxy: tune.bufsize). */
  checkAnswerBytesMax: 65536,
  /** Captured request or response kept for `show errors`. */
  errorCaptureBytesMax: 16384,
  /** Exchanges without a request that a traffic thread keeps for later ones. */
  idleExchangesMax: 1024,
  /** Between two captured errors of one traffic thread, so that rubbish in bulk costs the control thread nothing. */
  errorCaptureEveryMs: 50,
  /** How long the control thread may take for a statistics page. */
  internalAnswerMsMax: 30000,
  /** How long a client may take to read the last answer after our side has ended. */
  lingerMsMax: 2000,
  /** How long an idle keep-alive connection may still bring a request when its listener is closed. */
  lastRequestMs: 5000,
  /** Between two looks at a connection that is ending. */
  lingerLookMs: 20,
  /** Longest JSON Web Token looked at (a header line holds no longer one). */
  jwtBytesMax: 65536,
  /** Public keys of jwt_verify kept ready per thread. */
  jwtKeysMax: 256,
  /** Log line (HAProxy: default 1024, `len`). */
  logLineBytesMax: 65535,
  /** Log lines that may wait for the control thread, per traffic thread (whole words); more are dropped and counted. */
  logRingBytes: 2097152,
  /** Log text that may wait for a slow stdout or stderr in the control thread; more is dropped and counted. */
  logPendingBytesMax: 4194304,
  /** `poise logs`: read from a file at a time; longest line looked at; different rows of a table, the rest is counted as one. */
  logReadBytes: 262144,
  logLineReadBytesMax: 1048576,
  logCountRowsMax: 100000,
  /** Between two looks at a log file that is followed. */
  logFollowLookMs: 200,
  /** Idle server connections kept per server and thread when pool-max-conn is not set. */
  idlePerServerMax: 512,
  /** Server connections that one client session keeps for itself (HAProxy: max-session-srv-conns 5): enough for every backend of an Exchange site. */
  sessionServerConnectionsMax: 16,
  /** Accepted connections held back per listener and thread while a maxconn is reached. */
  heldConnectionsMax: 4096,
  /** Connections per thread kept open unread for `silent-drop`; more are reset. */
  silentDropsMax: 1024,
  /** One configuration line after quoting and variables (HAProxy: 2048 words, 65536 bytes). */
  configLineBytesMax: 65536,
  configLineWordsMax: 2048,
  /** One file named on the command line or in a configuration: configurations, maps, certificates, error pages. */
  configFileBytesMax: 268435456,
  /** Read from such a file at a time. */
  configReadBytes: 1048576,
  /** Nested `.if` blocks. */
  conditionDepthMax: 16,
  /** Between two lines about the same thing that VRRP has seen on the network. */
  vrrpRepeatReportMs: 60000,
  /** Between two questions of a master whether somebody else has its addresses. */
  vrrpProbeMs: 10000,
  /** Such lines of one kind per instance within that time, whoever they are about. */
  vrrpReportsMax: 20,
  /** Such things remembered per instance. */
  vrrpReportSubjectsMax: 256,
  /** A master process that says nothing for so long is taken for hung: its VRRP process gives the addresses up. */
  vrrpSilenceMsMax: 3000,
  /** A balancer process that says nothing for so long is taken for hung. With the look at it, the address is given up within 3 s. */
  balancerSilenceMsMax: 2500,
  /** While a configuration is taken up the process reads and its threads prepare, and say nothing: for so long that is no hang (300,000 lines of a map on a busy machine: 5 s). */
  takeUpMsMax: 20000,
  /** A process that comes back to its work so much later than it wanted was stopped itself, and judges nobody by that time. */
  ownPauseMs: 500,
  /** A balancer process that died and serves again within this time, or within three adverts where they come faster, keeps the address: the other node would not have noticed sooner. */
  balancerBackMsMax: 3000,
  /** After a planned hand-over the addresses stay so long at most, for requests that are being answered; never longer than the other node's skew. */
  addressLingerMs: 250,
  /** Letters that may wait for a mail server; the oldest is dropped beyond. */
  lettersMax: 1000,
  /** A letter that no mail server has taken for so long is given up. */
  letterMsMax: 259200000,
  /** One letter to one mail server, from the connection to its last answer. */
  letterSendMsMax: 60000,
  /** The same for a mailers section without `timeout mail`. */
  mailersTimeoutMs: 10000,
  /** Between two looks for letters that processes have left behind when they ended. */
  lettersLeftMs: 60000,
  /** Changes of one topic within this time after a letter are folded into one letter. */
  digestWindowMs: 60000,
  /** Changes that such a letter lists. */
  digestLettersMax: 200,
  /** A notify script that runs longer is ended. */
  notifyScriptMsMax: 30000,
  /** Notify scripts that may wait for the one that runs. */
  notifyScriptsMax: 1024,
  /** Between two tries to set an address or open a socket that the system refused. */
  vrrpRetrySystemMs: 1000,
  /** Nested `include` of keepalived.conf, and definitions inside definitions. */
  configIncludeDepthMax: 16,
  /** Messages to the operator that `show startup-logs` keeps. */
  startupLinesMax: 500,
  /** A traffic thread whose heartbeat has not moved at so many looks, one a second, is ended and started again. */
  threadMissedBeatsMax: 10,
  /** Lines that `show events` keeps. */
  eventLogLinesMax: 1024,
  /** Entries of the list of advice. */
  adviceEntriesMax: 256,
  /** Marks of clients that a watched backend refused, over all threads (a power of two); clients may share one. */
  suspectMarks: 16384,
  /** Answers of which one message of a traffic thread tells; others are left out. */
  sightingsMax: 1024,
  /** Answers that the control thread keeps until their order is known; with more it does not wait. */
  unsettledSightingsMax: 16_384,
  /** Path of a request, as such a message carries it. */
  sightingPathLengthMax: 100,
  /** Path rules of one frontend whose case is watched. */
  watchedRoutesMax: 256,
  /** Clients, each at one backend, that the watch over logins remembers; those heard of for longest are forgotten. */
  watchedClientsMax: 4096,
  /** Clients of one backend that get an entry of their own in the list of advice at the same time; the others share one. */
  adviceClientsMax: 8,
  /** `check --probe`: servers asked at the same time, and the time for each. */
  probesMax: 16,
  probeMsMax: 5000,
  /** Answer bytes that may wait for a slow reader of the runtime socket before its next command is held back. */
  adminPendingBytesMax: 1048576,
  /** How long a runtime command waits for the traffic threads to say that it is in force. */
  adminThreadAnswerMsMax: 2000,
  /** Lines of a long answer that are made at a time, so that others get their turn and no client that reads slowly holds all of it. */
  adminSliceLines: 256,
  /** Characters of a payload's own ending, `<<END`. */
  adminPayloadEndCharsMax: 7,
  /** A connection to the master's socket without a word. */
  masterSocketIdleMs: 3_600_000,
  /** Connections that wait while `stats maxconn` others use the runtime sockets. */
  adminWaitingConnectionsMax: 64,
  /** Commands of one line, without payload: each may have a long answer (HAProxy: tune.bufsize). */
  adminLineBytesMax: 65536,
  /** One command on the runtime socket, payload included. */
  adminCommandBytesMax: 1048576,
  /** Body of a request to the statistics page (admin form). */
  statsFormBytesMax: 65536,
  /** Turns in a round-robin order before it repeats; finer weights are rounded to fit. */
  balanceTurnsMax: 16384,
  /** Entries of a stick table that one thread looks through before it lets go of the lock that the others wait for. */
  stickSliceEntries: 64,
  /** Entries of stick tables that are written to the state folder at a time, before the control thread looks after something else. */
  savedStickSliceEntries: 1000,
  /** Results of password checks remembered per use of a userlist and thread. */
  authResultsMax: 4096,
  /** Entries of one ACL or map to which rules (add-acl, set-map) may add. */
  patternEntriesMax: 1048576,
  /** A text that a converter may grow or parse (HAProxy: tune.bufsize). */
  sampleBytesMax: 65536,
} as const;
